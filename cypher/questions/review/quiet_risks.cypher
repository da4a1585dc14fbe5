// Quiet risks: what nearly all traces pass
//
// Which agents, model versions, modules, keys and endpoints does a large share of all traces depend on,
// whether or not they fail today?
//
// parameters:
//   from_ms: integer = 0                     traces that started at or after, epoch ms
//   until_ms: integer = 9007199254740991     traces that started before, epoch ms
//   share_min: float = 0.5                   least share of all traces
//   limit: integer = 50                      rows at most
// columns:
//   kind         label of the thing
//   name         its key
//   traces       traces that depend on it, as their weights estimate them
//   share        those over all traces
//   failing      failing ones among them
MATCH (any:Trace)
WHERE any.startMs >= $from_ms AND any.startMs < $until_ms
WITH sum(any.weight) AS total
MATCH (t:Trace)-[:RAN_ON|USED|PASSED|READ|WROTE|REACHED]->(thing:Agent|ModelVersion|Module|KvKey|Endpoint)
WHERE t.startMs >= $from_ms AND t.startMs < $until_ms
WITH DISTINCT total, thing, t
WITH total, labels(thing)[0] AS kind, coalesce(thing.key, thing.name) AS name,
     sum(t.weight) AS traces,
     sum(CASE WHEN t.outcome IN ['failed', 'slow', 'hung', 'short', 'wrong'] THEN t.weight ELSE 0.0 END) AS failing
WHERE traces >= total * $share_min
RETURN kind, name, traces, traces / total AS share, failing
ORDER BY share DESC, kind, name
LIMIT $limit
