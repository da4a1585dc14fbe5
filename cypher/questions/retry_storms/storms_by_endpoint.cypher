// Retry storms by endpoint
//
// Which endpoints do traces call that storm them with retries, and what did they get back?
//
// parameters:
//   from_ms: integer = 0                     traces that started at or after, epoch ms
//   until_ms: integer = 9007199254740991     traces that started before, epoch ms
//   limit: integer = 50                      rows at most
// columns:
//   endpoint        address as the spans name it
//   storming        traces that reached it and show a retry storm
//   traces          traces that reached it, as their weights estimate them
//   first_ms        start of the first storming trace, epoch ms
//   error_codes     codes that the storming traces raised, sorted
MATCH (e:Endpoint)<-[:REACHED]-(t:Trace)
WHERE t.startMs >= $from_ms AND t.startMs < $until_ms
WITH e, sum(t.weight) AS traces, collect(t) AS kept
UNWIND kept AS t
WITH e, traces, t
WHERE 'storm' IN t.symptoms
OPTIONAL MATCH (t)-[:RAISED]->(code:ErrorCode)
WITH e, traces, t, code.name AS code
ORDER BY code
RETURN e.name AS endpoint, count(DISTINCT t) AS storming, traces, min(t.startMs) AS first_ms,
       collect(DISTINCT code) AS error_codes
ORDER BY storming DESC, first_ms, endpoint
LIMIT $limit
