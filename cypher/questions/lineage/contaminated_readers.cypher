// Readers of a key after a write
//
// Which traces read this key after that trace wrote it, and before anyone wrote it anew?
//
// parameters:
//   key: string                key of the state store, `store:key`
//   writer_id: string          trace that wrote it
//   limit: integer = 200       rows at most
// columns:
//   trace_id      trace that read it
//   outcome       its outcome
//   read_ms       when it read, epoch ms
//   written_ms    when the value was written, epoch ms
MATCH (w:Trace {traceId: $writer_id})-[wrote:WROTE]->(k:KvKey {key: $key})<-[read:READ]-(t:Trace)
WHERE read.atMs >= wrote.atMs AND t.traceId <> w.traceId
OPTIONAL MATCH (k)<-[again:WROTE]-(:Trace)
WHERE again.atMs > wrote.atMs AND again.atMs <= read.atMs
WITH t, read, wrote, count(again) AS rewritten
WHERE rewritten = 0
RETURN t.traceId AS trace_id, t.outcome AS outcome, read.atMs AS read_ms, wrote.atMs AS written_ms
ORDER BY read_ms, trace_id
LIMIT $limit
