// Incidents that are open
//
// Which incidents are open, what is the strongest cause of each, and is a repair on its way?
//
// parameters:
//   limit: integer = 50     rows at most
// columns:
//   incident_id     id of the incident
//   title           its title
//   onset_ms        first failing trace, epoch ms
//   traces          failing traces it explains
//   cause           its strongest cause, for people; null where none is known
//   confidence      chance that this is the cause
//   repair_states   states of its repairs, sorted
MATCH (i:Incident {state: 'open'})
OPTIONAL MATCH (i)-[:CAUSED_BY]->(c:Cause {rank: 1})
OPTIONAL MATCH (i)<-[:REPAIRS]-(r:Repair)
WITH i, c, r.state AS state
ORDER BY state
WITH i, c, collect(DISTINCT state) AS repair_states
RETURN i.incidentId AS incident_id, i.title AS title, i.onsetMs AS onset_ms,
       i.traceCount AS traces, c.label AS cause, c.confidence AS confidence, repair_states
ORDER BY traces DESC, incident_id
LIMIT $limit
