// Writers and readers of a key
//
// Who wrote and who read this key within a window, in order of time?
//
// parameters:
//   key: string                              key of the state store, `store:key`
//   from_ms: integer = 0                     accesses at or after, epoch ms
//   until_ms: integer = 9007199254740991     accesses before, epoch ms
//   limit: integer = 200                     rows at most
// columns:
//   at_ms        when, epoch ms
//   access       WROTE or READ
//   trace_id     the trace
//   outcome      its outcome
MATCH (k:KvKey {key: $key})<-[a:READ|WROTE]-(t:Trace)
WHERE a.atMs >= $from_ms AND a.atMs < $until_ms
RETURN a.atMs AS at_ms, type(a) AS access, t.traceId AS trace_id, t.outcome AS outcome
ORDER BY at_ms, access DESC, trace_id
LIMIT $limit
