// Blast radius of an agent, model version, key or region
//
// How many traces, tasks, agents and regions would be hit if this were changed or taken away?
//
// parameters:
//   name: string                             key of the agent, model version, key or region
//   from_ms: integer = 0                     traces that started at or after, epoch ms
//   until_ms: integer = 9007199254740991     traces that started before, epoch ms
//   limit: integer = 10                      rows at most
// columns:
//   kind        label of the resource
//   name        its key
//   traces      traces, as their weights estimate them
//   failing     failing ones among them
//   tasks       kinds of task
//   agents      agents
//   regions     regions
CALL {
  MATCH (r:Agent {key: $name}) RETURN r
  UNION MATCH (r:ModelVersion {key: $name}) RETURN r
  UNION MATCH (r:KvKey {key: $name}) RETURN r
  UNION MATCH (r:Region {name: $name}) RETURN r
}
MATCH (r)<-[:RAN_ON|USED|READ|WROTE|IN_REGION]-(t:Trace)
WHERE t.startMs >= $from_ms AND t.startMs < $until_ms
WITH DISTINCT r, t
WITH r, collect(t) AS traces, sum(t.weight) AS estimated,
     sum(CASE WHEN t.outcome IN ['failed', 'slow', 'hung', 'short', 'wrong'] THEN t.weight ELSE 0.0 END) AS failing
UNWIND traces AS t
OPTIONAL MATCH (t)-[:OF_TASK]->(task:Task)
OPTIONAL MATCH (t)-[:RAN_ON]->(agent:Agent)
OPTIONAL MATCH (t)-[:IN_REGION]->(region:Region)
RETURN labels(r)[0] AS kind, coalesce(r.key, r.name) AS name, estimated AS traces, failing,
       count(DISTINCT task.key) AS tasks, count(DISTINCT agent.key) AS agents,
       count(DISTINCT region.name) AS regions
ORDER BY kind, name
LIMIT $limit
