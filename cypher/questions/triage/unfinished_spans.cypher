// Spans that have not ended
//
// Where do traces hang: which spans have started and not ended, by module and operation?
//
// parameters:
//   from_ms: integer = 0                     traces that started at or after, epoch ms
//   until_ms: integer = 9007199254740991     traces that started before, epoch ms
//   limit: integer = 50                      rows at most
// columns:
//   module         module of the span
//   operation      name of the span
//   traces         traces with such a span
//   spans          spans that have not ended
//   oldest_ms      start of the oldest trace with one, epoch ms
MATCH (t:Trace)-[:HAS_SPAN]->(s:Span)
WHERE s.durationMs IS NULL AND t.startMs >= $from_ms AND t.startMs < $until_ms
RETURN s.module AS module, s.name AS operation, count(DISTINCT t) AS traces, count(*) AS spans,
       min(t.startMs) AS oldest_ms
ORDER BY traces DESC, oldest_ms, module, operation
LIMIT $limit
