// Traces at risk of a bad value
//
// Which traces read a value of a trace that poisoned others, or of one it reached, and are still well?
//
// parameters:
//   incident_id: string        id of the incident
//   limit: integer = 200       rows at most
// columns:
//   trace_id      trace that read it
//   outcome       its outcome
//   key           key it read
//   read_ms       when it read, epoch ms
//   writer_id     trace that wrote the value
MATCH (:Incident {incidentId: $incident_id})<-[:PART_OF]-(:Trace)-[:CONTAMINATED_BY]->(w:Trace)
WITH DISTINCT w
MATCH (w)-[wrote:WROTE]->(k:KvKey)<-[read:READ]-(t:Trace)
WHERE read.atMs >= wrote.atMs AND t.traceId <> w.traceId AND t.outcome = 'ok'
OPTIONAL MATCH (k)<-[again:WROTE]-(:Trace)
WHERE again.atMs > wrote.atMs AND again.atMs <= read.atMs
WITH t, k, read, w, count(again) AS rewritten
WHERE rewritten = 0
RETURN t.traceId AS trace_id, t.outcome AS outcome, k.key AS key, read.atMs AS read_ms,
       w.traceId AS writer_id
ORDER BY read_ms, trace_id, key
LIMIT $limit
