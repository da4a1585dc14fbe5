// Failing share by model version and region
//
// In which combination of model version and region do traces fail most?
//
// parameters:
//   from_ms: integer = 0                     traces that started at or after, epoch ms
//   until_ms: integer = 9007199254740991     traces that started before, epoch ms
//   limit: integer = 50                      rows at most
// columns:
//   model_version     key of the model version
//   region            name of the region
//   traces            traces, as their weights estimate them
//   failing           failing ones among them
//   failing_share     failing over all
MATCH (m:ModelVersion)<-[:USED]-(t:Trace)-[:IN_REGION]->(r:Region)
WHERE t.startMs >= $from_ms AND t.startMs < $until_ms
WITH m.key AS model_version, r.name AS region, sum(t.weight) AS traces,
     sum(CASE WHEN t.outcome IN ['failed', 'slow', 'hung', 'short', 'wrong'] THEN t.weight ELSE 0.0 END) AS failing
RETURN model_version, region, traces, failing, failing / traces AS failing_share
ORDER BY failing_share DESC, failing DESC, model_version, region
LIMIT $limit
