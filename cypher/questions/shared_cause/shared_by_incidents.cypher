// What several incidents share
//
// Which things are named by root causes of more than one incident?
//
// parameters:
//   incidents_min: integer = 2     incidents it must be a cause of
//   limit: integer = 50            rows at most
// columns:
//   kind             label of the thing
//   name             its key
//   incidents        incidents with a root cause that names it
//   incident_ids     their ids, by onset
//   open             how many of them are open
//   first_ms         earliest onset, epoch ms
//   last_ms          latest onset, epoch ms
MATCH (i:Incident)-[:CAUSED_BY]->(:Cause {role: 'root'})-[:NAMES]->(thing)
WITH DISTINCT thing, i
ORDER BY i.onsetMs, i.incidentId
WITH labels(thing)[0] AS kind, coalesce(thing.key, thing.name, thing.instanceId, thing.traceId) AS name,
     collect(i.incidentId) AS incident_ids, min(i.onsetMs) AS first_ms, max(i.onsetMs) AS last_ms,
     sum(CASE WHEN i.state = 'open' THEN 1 ELSE 0 END) AS open
WHERE size(incident_ids) >= $incidents_min
RETURN kind, name, size(incident_ids) AS incidents, incident_ids, open, first_ms, last_ms
ORDER BY incidents DESC, last_ms DESC, kind, name
LIMIT $limit
