// Versions to roll back
//
// Which model versions fail more than the version they replaced, and how much would going back save?
//
// parameters:
//   from_ms: integer = 0                     traces that started at or after, epoch ms
//   until_ms: integer = 9007199254740991     traces that started before, epoch ms
//   traces_min: float = 1                    traces of each version to be judged
//   limit: integer = 50                      rows at most
// columns:
//   model_version      key of the version
//   previous           version it replaced
//   share              failing share of its traces
//   previous_share     failing share of the other's traces
//   saved              failing traces fewer, had its traces failed as the other's do
MATCH (v:ModelVersion)-[:PREVIOUS]->(p:ModelVersion)
MATCH (p)<-[:USED]-(t:Trace)
WHERE t.startMs >= $from_ms AND t.startMs < $until_ms
WITH v, p, sum(t.weight) AS previous_traces,
     sum(CASE WHEN t.outcome IN ['failed', 'slow', 'hung', 'short', 'wrong'] THEN t.weight ELSE 0.0 END) AS previous_failing
MATCH (v)<-[:USED]-(t:Trace)
WHERE t.startMs >= $from_ms AND t.startMs < $until_ms
WITH v, p, previous_traces, previous_failing / previous_traces AS previous_share,
     sum(t.weight) AS traces,
     sum(CASE WHEN t.outcome IN ['failed', 'slow', 'hung', 'short', 'wrong'] THEN t.weight ELSE 0.0 END) AS failing
WHERE traces >= $traces_min AND previous_traces >= $traces_min
  AND failing / traces > previous_share
RETURN v.key AS model_version, p.key AS previous, failing / traces AS share, previous_share,
       failing - traces * previous_share AS saved
ORDER BY saved DESC, model_version
LIMIT $limit
