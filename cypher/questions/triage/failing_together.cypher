// Modules where traces fail at the same time
//
// At which module and in which minute do many traces show the same outcome?
//
// parameters:
//   from_ms: integer = 0                     traces that started at or after, epoch ms
//   until_ms: integer = 9007199254740991     traces that started before, epoch ms
//   traces_min: integer = 2                  fewer traces are not shown
//   limit: integer = 50                      rows at most
// columns:
//   minute_ms     start of the minute, epoch ms
//   module        where the traces went wrong
//   outcome       how they went wrong
//   traces        failing traces
MATCH (t:Trace)-[:FAILED_AT]->(m:Module)
WHERE t.startMs >= $from_ms AND t.startMs < $until_ms
WITH t.startMs - t.startMs % 60000 AS minute_ms, m.name AS module, t.outcome AS outcome,
     count(*) AS traces
WHERE traces >= $traces_min
RETURN minute_ms, module, outcome, traces
ORDER BY traces DESC, minute_ms, module, outcome
LIMIT $limit
