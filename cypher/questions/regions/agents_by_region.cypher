// Agents by region
//
// Which agents run where, and what share of their traces fails?
//
// parameters:
//   from_ms: integer = 0                     traces that started at or after, epoch ms
//   until_ms: integer = 9007199254740991     traces that started before, epoch ms
//   limit: integer = 100                     rows at most
// columns:
//   region            name of the region
//   agent             key of the agent
//   traces            traces, as their weights estimate them
//   failing           failing ones among them
//   failing_share     failing over all
MATCH (t:Trace)-[:IN_REGION]->(r:Region)
WHERE t.startMs >= $from_ms AND t.startMs < $until_ms
MATCH (t)-[:RAN_ON]->(a:Agent)
WHERE (a)-[:LOCATED_IN]->(r)
WITH r.name AS region, a.key AS agent, sum(t.weight) AS traces,
     sum(CASE WHEN t.outcome IN ['failed', 'slow', 'hung', 'short', 'wrong'] THEN t.weight ELSE 0.0 END) AS failing
RETURN region, agent, traces, failing, failing / traces AS failing_share
ORDER BY failing_share DESC, failing DESC, region, agent
LIMIT $limit
