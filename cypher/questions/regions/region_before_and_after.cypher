// Regions before and after a moment
//
// In which regions did the failing share change at this moment, such as a deploy or a repair?
//
// parameters:
//   at_ms: integer                   the moment, epoch ms
//   span_ms: integer = 3600000       how long before and after, ms
//   limit: integer = 50              rows at most
// columns:
//   region            name of the region
//   traces_before     traces before, as their weights estimate them
//   traces_after      traces after
//   share_before      failing share before
//   share_after       failing share after
//   rise              after less before
MATCH (r:Region)<-[:IN_REGION]-(t:Trace)
WHERE t.startMs >= $at_ms - $span_ms AND t.startMs < $at_ms + $span_ms
WITH r, t.startMs < $at_ms AS before, t.weight AS weight,
     CASE WHEN t.outcome IN ['failed', 'slow', 'hung', 'short', 'wrong'] THEN t.weight ELSE 0.0 END AS bad
WITH r, sum(CASE WHEN before THEN weight ELSE 0.0 END) AS traces_before,
     sum(CASE WHEN before THEN 0.0 ELSE weight END) AS traces_after,
     sum(CASE WHEN before THEN bad ELSE 0.0 END) AS bad_before,
     sum(CASE WHEN before THEN 0.0 ELSE bad END) AS bad_after
WHERE traces_before > 0 AND traces_after > 0
WITH r, traces_before, traces_after, bad_before / traces_before AS share_before,
     bad_after / traces_after AS share_after
RETURN r.name AS region, traces_before, traces_after, share_before, share_after,
       share_after - share_before AS rise
ORDER BY rise DESC, region
LIMIT $limit
