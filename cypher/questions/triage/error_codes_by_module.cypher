// Error codes by module
//
// Where do traces go wrong, and with which error code?
//
// parameters:
//   from_ms: integer = 0                     traces that started at or after, epoch ms
//   until_ms: integer = 9007199254740991     traces that started before, epoch ms
//   limit: integer = 50                      rows at most
// columns:
//   module         where the traces went wrong
//   error_code     code of the span there; empty where it carries none
//   outcome        how they went wrong
//   traces         failing traces
MATCH (t:Trace)-[:FAILED_AT]->(m:Module)
WHERE t.startMs >= $from_ms AND t.startMs < $until_ms
RETURN m.name AS module, coalesce(t.errorCode, '') AS error_code, t.outcome AS outcome,
       count(*) AS traces
ORDER BY traces DESC, module, error_code, outcome
LIMIT $limit
