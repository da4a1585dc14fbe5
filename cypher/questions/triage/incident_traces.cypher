// Traces of an incident
//
// Which traces belong to this incident, the surest first, and where did each go wrong?
//
// parameters:
//   incident_id: string       id of the incident
//   limit: integer = 100      rows at most
// columns:
//   trace_id       the trace
//   started_ms     when it started, epoch ms
//   outcome        its outcome
//   task           kind of task; empty where it has none
//   error_code     error code where it went wrong
//   fault_path     span names from the root to where it went wrong
//   confidence     chance that it belongs
MATCH (:Incident {incidentId: $incident_id})<-[part:PART_OF]-(t:Trace)
OPTIONAL MATCH (t)-[:OF_TASK]->(task:Task)
RETURN t.traceId AS trace_id, t.startMs AS started_ms, t.outcome AS outcome,
       coalesce(task.key, '') AS task, t.errorCode AS error_code, t.faultPath AS fault_path,
       part.confidence AS confidence
ORDER BY confidence DESC, started_ms, trace_id
LIMIT $limit
