// Versions of a model
//
// Which versions of this model ran, what did each replace, and what share of its traces fails?
//
// parameters:
//   model: string            name of the model
//   limit: integer = 50      rows at most
// columns:
//   model_version     key of the version
//   previous          version it replaced, if known
//   released_ms       release, epoch ms, if known
//   first_seen_ms     first seen, epoch ms
//   traces            traces, as their weights estimate them
//   failing           failing ones among them
MATCH (:Model {name: $model})<-[:VERSION_OF]-(v:ModelVersion)
OPTIONAL MATCH (v)-[:PREVIOUS]->(before:ModelVersion)
OPTIONAL MATCH (v)<-[:USED]-(t:Trace)
RETURN v.key AS model_version, before.key AS previous, v.releasedMs AS released_ms,
       v.firstSeenMs AS first_seen_ms, sum(coalesce(t.weight, 0.0)) AS traces,
       sum(CASE WHEN t.outcome IN ['failed', 'slow', 'hung', 'short', 'wrong'] THEN t.weight ELSE 0.0 END) AS failing
ORDER BY coalesce(v.firstSeenMs, v.releasedMs, 0) DESC, model_version
LIMIT $limit
