// Health of the regions
//
// How many traces ran in each region, and what share of them fails?
//
// parameters:
//   from_ms: integer = 0                     traces that started at or after, epoch ms
//   until_ms: integer = 9007199254740991     traces that started before, epoch ms
//   limit: integer = 50                      rows at most
// columns:
//   region            name of the region
//   traces            traces, as their weights estimate them
//   failing           failing ones among them
//   failing_share     failing over all
//   incidents         incidents with traces there
MATCH (r:Region)<-[:IN_REGION]-(t:Trace)
WHERE t.startMs >= $from_ms AND t.startMs < $until_ms
WITH r, sum(t.weight) AS traces,
     sum(CASE WHEN t.outcome IN ['failed', 'slow', 'hung', 'short', 'wrong'] THEN t.weight ELSE 0.0 END) AS failing,
     collect(t) AS kept
UNWIND kept AS t
OPTIONAL MATCH (t)-[:PART_OF]->(i:Incident)
WITH r, traces, failing, count(DISTINCT i) AS incidents
RETURN r.name AS region, traces, failing, failing / traces AS failing_share, incidents
ORDER BY failing_share DESC, region
LIMIT $limit
