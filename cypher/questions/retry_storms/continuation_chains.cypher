// Chains of retries, rebuilds and hand-offs
//
// Which traces went on where another stopped, up to five times, and how did each end?
//
// parameters:
//   from_ms: integer = 0     chains whose last trace started at or after, epoch ms
//   limit: integer = 50      rows at most
// columns:
//   trace_ids     the chain, latest first
//   kinds         why each goes on where the next stopped
//   outcomes      outcome of each
MATCH chain = (last:Trace)-[:CONTINUES*1..5]->(first:Trace)
WHERE last.startMs >= $from_ms
  AND NOT (last)<-[:CONTINUES]-(:Trace) AND NOT (first)-[:CONTINUES]->(:Trace)
RETURN [t IN nodes(chain) | t.traceId] AS trace_ids,
       [e IN relationships(chain) | e.kind] AS kinds,
       [t IN nodes(chain) | t.outcome] AS outcomes
ORDER BY size(trace_ids) DESC, trace_ids[0]
LIMIT $limit
