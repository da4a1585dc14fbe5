// Slowest modules
//
// In which modules do traces spend their time, beyond what other modules do for them?
//
// parameters:
//   from_ms: integer = 0                     traces that started at or after, epoch ms
//   until_ms: integer = 9007199254740991     traces that started before, epoch ms
//   limit: integer = 20                      rows at most
// columns:
//   module           name of the module
//   traces           traces, as their weights estimate them
//   self_ms_mean     own time a trace, ms
//   self_ms_max      most own time of one trace, ms
//   calls            spans in the module, of the traces kept
//   errors           spans with an error status, of the traces kept
MATCH (t:Trace)-[p:PASSED]->(m:Module)
WHERE t.startMs >= $from_ms AND t.startMs < $until_ms
WITH m.name AS module, sum(t.weight) AS traces, sum(t.weight * p.selfMs) AS self_ms,
     max(p.selfMs) AS self_ms_max, sum(p.calls) AS calls, sum(p.errors) AS errors
RETURN module, traces, self_ms / traces AS self_ms_mean, self_ms_max, calls, errors
ORDER BY self_ms_mean DESC, module
LIMIT $limit
