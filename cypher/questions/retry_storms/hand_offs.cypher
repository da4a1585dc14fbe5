// Hand-offs between agents
//
// Which agents give work to which, and how often do traces fail that both worked on?
//
// parameters:
//   limit: integer = 50     rows at most
// columns:
//   from_agent     agent that gave work
//   to_agent       agent that took it
//   traces         traces both worked on, as their weights estimate them
//   failing        failing ones among them
MATCH (a:Agent)-[:HANDED_OFF_TO]->(b:Agent)
OPTIONAL MATCH (a)<-[:RAN_ON]-(t:Trace)-[:RAN_ON]->(b)
RETURN a.key AS from_agent, b.key AS to_agent, sum(coalesce(t.weight, 0.0)) AS traces,
       sum(CASE WHEN t.outcome IN ['failed', 'slow', 'hung', 'short', 'wrong'] THEN t.weight ELSE 0.0 END) AS failing
ORDER BY failing DESC, traces DESC, from_agent, to_agent
LIMIT $limit
