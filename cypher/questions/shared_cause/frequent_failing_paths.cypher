// Frequent failing paths
//
// Along which paths of spans, and with which error code, do traces go wrong most often?
//
// parameters:
//   from_ms: integer = 0                     traces that started at or after, epoch ms
//   until_ms: integer = 9007199254740991     traces that started before, epoch ms
//   limit: integer = 20                      rows at most
// columns:
//   path           span names from the root to where it went wrong
//   outcome        how it went wrong
//   error_code     error code there, if any
//   traces         failing traces
//   first_ms       start of the first, epoch ms
//   last_ms        start of the last, epoch ms
MATCH (t:Trace)
WHERE t.outcome IN ['failed', 'slow', 'hung', 'short', 'wrong']
  AND t.startMs >= $from_ms AND t.startMs < $until_ms AND t.faultPath IS NOT NULL
RETURN t.faultPath AS path, t.outcome AS outcome, t.errorCode AS error_code, count(*) AS traces,
       min(t.startMs) AS first_ms, max(t.startMs) AS last_ms
ORDER BY traces DESC, path, outcome, error_code
LIMIT $limit
