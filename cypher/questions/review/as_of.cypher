// The platform as of a moment
//
// Which agents, instances, model versions, regions, services, tools and keys were in use at that
// moment, by what was seen before and after it?
//
// parameters:
//   at_ms: integer            the moment, epoch ms
//   limit: integer = 500      rows at most
// columns:
//   kind           label
//   name           key
//   first_seen_ms  first seen, epoch ms
//   last_seen_ms   last seen, epoch ms
MATCH (n:Agent|AgentInstance|ModelVersion|Region|Service|Tool|KvKey)
WHERE n.firstSeenMs <= $at_ms AND n.lastSeenMs >= $at_ms
RETURN labels(n)[0] AS kind, coalesce(n.key, n.name, n.instanceId) AS name,
       n.firstSeenMs AS first_seen_ms, n.lastSeenMs AS last_seen_ms
ORDER BY kind, name
LIMIT $limit
