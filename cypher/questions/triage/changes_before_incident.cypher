// What changed before an incident
//
// Which changes took effect before the incident began, the nearest first, and does a cause name what
// they touched?
//
// parameters:
//   incident_id: string                  id of the incident
//   before_ms: integer = 86400000        how long before the onset, ms
//   limit: integer = 50                  rows at most
// columns:
//   change          key of the change
//   kind            deploy, config, flag or migration
//   target          key of what it changed
//   at_ms           when it took effect, epoch ms
//   lead_ms         how long before the onset, ms
//   is_named        a cause of the incident names the target
MATCH (i:Incident {incidentId: $incident_id})
MATCH (c:Change)
WHERE c.atMs <= i.onsetMs AND c.atMs >= i.onsetMs - $before_ms
OPTIONAL MATCH (i)-[:CAUSED_BY]->(:Cause {role: 'root'})-[:NAMES]->(thing)<-[:CHANGED]-(c)
WITH i, c, count(thing) AS naming
RETURN c.key AS change, c.kind AS kind, c.target AS target, c.atMs AS at_ms,
       i.onsetMs - c.atMs AS lead_ms, naming > 0 AS is_named
ORDER BY lead_ms, change
LIMIT $limit
