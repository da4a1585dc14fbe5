// Patient zero of an incident
//
// From whose values do the failing traces of this incident descend, and what share of them?
//
// parameters:
//   incident_id: string       id of the incident
//   limit: integer = 10       rows at most
// columns:
//   writer_id     trace that wrote what they read, directly or through others
//   outcome       its outcome
//   started_ms    when it started, epoch ms
//   failing       failing traces of the incident that descend from it
//   share         those over all traces of the incident
//   hops          writes passed at most
MATCH (:Incident {incidentId: $incident_id})<-[:PART_OF]-(t:Trace)
WITH collect(t) AS traces
UNWIND traces AS t
MATCH (t)-[by:CONTAMINATED_BY]->(w:Trace)
WITH w, size(traces) AS total, count(DISTINCT t) AS failing, max(by.hops) AS hops
RETURN w.traceId AS writer_id, w.outcome AS outcome, w.startMs AS started_ms, failing,
       toFloat(failing) / total AS share, hops
ORDER BY failing DESC, started_ms, writer_id
LIMIT $limit
