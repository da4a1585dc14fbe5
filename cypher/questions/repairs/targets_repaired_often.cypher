// Things that are repaired again and again
//
// On which things did more than one repair act, and did it help?
//
// parameters:
//   repairs_min: integer = 2     repairs that acted on it
//   limit: integer = 50          rows at most
// columns:
//   kind           label of the thing
//   name           its key
//   repairs        repairs that acted on it
//   effective      those that took effect
//   incidents      incidents they were meant to end
//   last_ms        latest one asked for, epoch ms
MATCH (r:Repair)-[:TARGETS]->(thing)
WITH labels(thing)[0] AS kind, coalesce(thing.key, thing.name, thing.instanceId, thing.traceId) AS name,
     count(*) AS repairs, count(DISTINCT r.incidentId) AS incidents, max(r.requestedMs) AS last_ms,
     sum(CASE WHEN r.verdict IN ['effective', 'confirmed'] THEN 1 ELSE 0 END) AS effective
WHERE repairs >= $repairs_min
RETURN kind, name, repairs, effective, incidents, last_ms
ORDER BY repairs DESC, last_ms DESC, kind, name
LIMIT $limit
