// Model versions new before an incident
//
// Which model versions were first seen or released shortly before this incident began, and how many of
// its traces used each?
//
// parameters:
//   incident_id: string                 id of the incident
//   before_ms: integer = 86400000       how long before the onset, ms
//   limit: integer = 50                 rows at most
// columns:
//   model_version     key of the version
//   previous          version it replaced, if known
//   new_ms            released, or first seen where that is not known, epoch ms
//   lead_ms           how long before the onset, ms
//   traces            traces of the incident that used it
MATCH (i:Incident {incidentId: $incident_id})
MATCH (v:ModelVersion)
WITH i, v, coalesce(v.releasedMs, v.firstSeenMs) AS new_ms
WHERE new_ms <= i.onsetMs AND new_ms >= i.onsetMs - $before_ms
OPTIONAL MATCH (v)-[:PREVIOUS]->(before:ModelVersion)
OPTIONAL MATCH (v)<-[:USED]-(t:Trace)-[:PART_OF]->(i)
RETURN v.key AS model_version, before.key AS previous, new_ms, i.onsetMs - new_ms AS lead_ms,
       count(DISTINCT t) AS traces
ORDER BY traces DESC, lead_ms, model_version
LIMIT $limit
