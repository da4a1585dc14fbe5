// Agents that hand work round in a circle
//
// Which two or three agents hand work to one another in a circle, and how do traces that pass all of
// them end?
//
// parameters:
//   limit: integer = 50     rows at most
// columns:
//   agents          the circle, from the first by name
//   traces          traces that all of them worked on, as their weights estimate them
//   failing         failing ones among them
CALL {
  MATCH (a:Agent)-[:HANDED_OFF_TO]->(b:Agent)-[:HANDED_OFF_TO]->(a)
  WHERE a.key < b.key
  RETURN [a.key, b.key] AS agents
  UNION
  MATCH (a:Agent)-[:HANDED_OFF_TO]->(b:Agent)-[:HANDED_OFF_TO]->(c:Agent)-[:HANDED_OFF_TO]->(a)
  WHERE a.key < b.key AND a.key < c.key AND b.key <> c.key
  RETURN [a.key, b.key, c.key] AS agents
}
OPTIONAL MATCH (first:Agent {key: agents[0]})<-[:RAN_ON]-(t:Trace)-[:RAN_ON]->(:Agent {key: agents[1]})
WHERE size(agents) = 2 OR EXISTS { MATCH (t)-[:RAN_ON]->(third:Agent) WHERE third.key = agents[2] }
WITH agents, sum(coalesce(t.weight, 0.0)) AS traces,
     sum(CASE WHEN t.outcome IN ['failed', 'slow', 'hung', 'short', 'wrong'] THEN t.weight ELSE 0.0 END) AS failing
RETURN agents, traces, failing
ORDER BY failing DESC, traces DESC, agents[0], agents[1]
LIMIT $limit
