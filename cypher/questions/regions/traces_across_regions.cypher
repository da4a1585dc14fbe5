// Traces that span two regions
//
// Which pairs of regions work on the same traces, and how often do those fail?
//
// parameters:
//   from_ms: integer = 0                     traces that started at or after, epoch ms
//   until_ms: integer = 9007199254740991     traces that started before, epoch ms
//   limit: integer = 50                      rows at most
// columns:
//   region            one region
//   other             the other
//   traces            traces in both, as their weights estimate them
//   failing           failing ones among them
//   failing_share     failing over all
MATCH (a:Region)<-[:IN_REGION]-(t:Trace)-[:IN_REGION]->(b:Region)
WHERE a.name < b.name AND t.startMs >= $from_ms AND t.startMs < $until_ms
WITH a.name AS region, b.name AS other, sum(t.weight) AS traces,
     sum(CASE WHEN t.outcome IN ['failed', 'slow', 'hung', 'short', 'wrong'] THEN t.weight ELSE 0.0 END) AS failing
RETURN region, other, traces, failing, failing / traces AS failing_share
ORDER BY failing_share DESC, traces DESC, region, other
LIMIT $limit
