// Agents that fail with one model version
//
// Which agents fail more with one model version than with all others they use?
//
// parameters:
//   from_ms: integer = 0                     traces that started at or after, epoch ms
//   until_ms: integer = 9007199254740991     traces that started before, epoch ms
//   traces_min: float = 1                    traces with the version, and without it, to be judged
//   limit: integer = 50                      rows at most
// columns:
//   agent            key of the agent
//   model_version    key of the version
//   traces           traces of both, as their weights estimate them
//   share_with       failing share of the agent's traces with it
//   share_without    failing share of the agent's traces without it
MATCH (a:Agent)<-[:RAN_ON]-(t:Trace)
WHERE t.startMs >= $from_ms AND t.startMs < $until_ms
WITH a, sum(t.weight) AS all_traces,
     sum(CASE WHEN t.outcome IN ['failed', 'slow', 'hung', 'short', 'wrong'] THEN t.weight ELSE 0.0 END) AS all_failing
MATCH (a)<-[:RAN_ON]-(t:Trace)-[:USED]->(v:ModelVersion)
WHERE t.startMs >= $from_ms AND t.startMs < $until_ms
WITH a, v, all_traces, all_failing, sum(t.weight) AS traces,
     sum(CASE WHEN t.outcome IN ['failed', 'slow', 'hung', 'short', 'wrong'] THEN t.weight ELSE 0.0 END) AS failing
WHERE traces >= $traces_min AND all_traces - traces >= $traces_min
WITH a, v, traces, failing / traces AS share_with,
     (all_failing - failing) / (all_traces - traces) AS share_without
WHERE share_with > share_without
RETURN a.key AS agent, v.key AS model_version, traces, share_with, share_without
ORDER BY share_with - share_without DESC, agent, model_version
LIMIT $limit
