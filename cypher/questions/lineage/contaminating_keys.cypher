// Keys that carry bad values
//
// Through which keys do failing traces descend from what others wrote, and how far did it spread?
//
// parameters:
//   incident_id: string = ''     one incident; empty for all
//   limit: integer = 50          rows at most
// columns:
//   key             key the failing traces read it from
//   failing         failing traces that descend from a value of it
//   writer_ids      traces that wrote what they descend from, sorted
//   hops            writes passed at most
MATCH (t:Trace)-[by:CONTAMINATED_BY]->(w:Trace)
OPTIONAL MATCH (t)-[:PART_OF]->(i:Incident)
WITH t, by, w, collect(i.incidentId) AS incident_ids
WHERE $incident_id = '' OR $incident_id IN incident_ids
WITH t, by, w
ORDER BY w.traceId
RETURN by.key AS key, count(DISTINCT t) AS failing, collect(DISTINCT w.traceId) AS writer_ids,
       max(by.hops) AS hops
ORDER BY failing DESC, key
LIMIT $limit
