// Everything a model version touches
//
// Which agents, tasks, regions, modules, tools and keys do traces of this model version touch?
//
// parameters:
//   model_version: string     key of the model version, `name@version`
//   limit: integer = 100      rows at most
// columns:
//   kind        label of what is touched
//   name        its key
//   traces      traces, as their weights estimate them
//   failing     failing ones among them
MATCH (:ModelVersion {key: $model_version})<-[:USED]-(t:Trace)
      -[:RAN_ON|OF_TASK|IN_REGION|PASSED|CALLED|READ|WROTE|REACHED|PROMPTED_BY]->(thing)
WITH DISTINCT t, thing
RETURN labels(thing)[0] AS kind, coalesce(thing.key, thing.name, thing.instanceId) AS name,
       sum(t.weight) AS traces,
       sum(CASE WHEN t.outcome IN ['failed', 'slow', 'hung', 'short', 'wrong'] THEN t.weight ELSE 0.0 END) AS failing
ORDER BY failing DESC, traces DESC, kind, name
LIMIT $limit
