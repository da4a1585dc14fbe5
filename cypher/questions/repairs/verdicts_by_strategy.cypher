// Verdicts by strategy
//
// How often did each revision of a strategy take effect, and how long did that take?
//
// parameters:
//   from_ms: integer = 0                     repairs asked for at or after, epoch ms
//   until_ms: integer = 9007199254740991     repairs asked for before, epoch ms
//   limit: integer = 50                      rows at most
// columns:
//   strategy          `strategyId@revision`
//   judged            repairs with a verdict, those that are inconclusive aside
//   effective         those that took effect
//   harmful           those that made it worse
//   effective_share   effective over judged
//   seconds_mean      from its last step to its end, mean over the judged, s
MATCH (r:Repair)
WHERE NOT coalesce(r.verdict, '') IN ['', 'open', 'inconclusive']
  AND r.requestedMs >= $from_ms AND r.requestedMs < $until_ms
WITH r.strategy AS strategy, count(*) AS judged,
     sum(CASE WHEN r.verdict IN ['effective', 'confirmed'] THEN 1 ELSE 0 END) AS effective,
     sum(CASE WHEN r.verdict = 'harmful' THEN 1 ELSE 0 END) AS harmful,
     avg(r.endedMs - r.executedMs) AS waited
RETURN strategy, judged, effective, harmful, toFloat(effective) / judged AS effective_share,
       waited / 1000.0 AS seconds_mean
ORDER BY effective_share DESC, judged DESC, strategy
LIMIT $limit
