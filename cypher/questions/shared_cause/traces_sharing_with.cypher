// Traces that share a resource with a failing trace
//
// Which other traces touched an agent, model version, region, key, tool, endpoint or prompt that this
// trace touched, and how many of those?
//
// parameters:
//   trace_id: string         the trace to start from
//   limit: integer = 50      rows at most
// columns:
//   trace_id         the other trace
//   outcome          its outcome
//   shared           what both touched, sorted
//   shared_count     how much both touched
MATCH (t:Trace {traceId: $trace_id})
      -[:RAN_ON|USED|IN_REGION|READ|WROTE|CALLED|REACHED|PROMPTED_BY]->(resource)
      <-[:RAN_ON|USED|IN_REGION|READ|WROTE|CALLED|REACHED|PROMPTED_BY]-(other:Trace)
WHERE other.traceId <> t.traceId
WITH DISTINCT other, coalesce(resource.key, resource.name, resource.instanceId) AS name
ORDER BY name
WITH other, collect(name) AS shared
RETURN other.traceId AS trace_id, other.outcome AS outcome, shared, size(shared) AS shared_count
ORDER BY shared_count DESC, trace_id
LIMIT $limit
