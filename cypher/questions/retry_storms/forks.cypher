// Traces continued more than once
//
// Which traces did several others go on from: retries sent twice, work done twice?
//
// parameters:
//   from_ms: integer = 0     traces that started at or after, epoch ms
//   limit: integer = 50      rows at most
// columns:
//   trace_id       trace that others go on from
//   outcome        its outcome
//   follower_ids   traces that go on from it, by start
//   kinds          why, sorted
//   succeeded      how many of them ended well
MATCH (t:Trace)<-[:CONTINUES]-(next:Trace)
WHERE t.startMs >= $from_ms
WITH t, next
ORDER BY next.startMs, next.traceId
WITH t, collect(next.traceId) AS follower_ids,
     sum(CASE WHEN next.outcome = 'ok' THEN 1 ELSE 0 END) AS succeeded
WHERE size(follower_ids) > 1
MATCH (t)<-[c:CONTINUES]-(:Trace)
WITH t, follower_ids, succeeded, c.kind AS kind
ORDER BY kind
WITH t, follower_ids, succeeded, collect(DISTINCT kind) AS kinds
RETURN t.traceId AS trace_id, t.outcome AS outcome, follower_ids, kinds, succeeded
ORDER BY size(follower_ids) DESC, trace_id
LIMIT $limit
