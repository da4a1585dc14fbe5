// Where the values a trace read came from
//
// Which traces wrote the values that this trace read, each the last write before the read?
//
// parameters:
//   trace_id: string          the trace that read
//   limit: integer = 100      rows at most
// columns:
//   key           key it read
//   read_ms       when it read, epoch ms
//   writer_id     trace that wrote the value
//   outcome       outcome of the writer
//   written_ms    when it wrote, epoch ms
MATCH (t:Trace {traceId: $trace_id})-[read:READ]->(k:KvKey)<-[wrote:WROTE]-(w:Trace)
WHERE wrote.atMs <= read.atMs AND w.traceId <> t.traceId
WITH k, read, w, wrote
ORDER BY wrote.atMs DESC, w.traceId
WITH k, read, collect({id: w.traceId, outcome: w.outcome, at: wrote.atMs})[0] AS latest
RETURN k.key AS key, read.atMs AS read_ms, latest.id AS writer_id, latest.outcome AS outcome,
       latest.at AS written_ms
ORDER BY read_ms, key
LIMIT $limit
