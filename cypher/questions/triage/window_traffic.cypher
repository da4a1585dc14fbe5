// Traffic of a window
//
// How many traces of each kind of task ran in this time, and how many failed?
//
// parameters:
//   from_ms: integer = 0                     traces that started at or after, epoch ms
//   until_ms: integer = 9007199254740991     traces that started before, epoch ms
//   limit: integer = 200                     rows at most
// columns:
//   task        kind of task; empty where it has none
//   traces      traces, as their weights estimate them
//   failing     failing ones among them
MATCH (t:Trace)
WHERE t.startMs >= $from_ms AND t.startMs < $until_ms
OPTIONAL MATCH (t)-[:OF_TASK]->(task:Task)
RETURN coalesce(task.key, '') AS task, sum(t.weight) AS traces,
       sum(CASE WHEN t.outcome IN ['failed', 'slow', 'hung', 'short', 'wrong'] THEN t.weight ELSE 0.0 END) AS failing
ORDER BY traces DESC, task
LIMIT $limit
