// What a repair would hit, by task
//
// Which traces touch the things a repair acts on, how many of them have a span that has not ended,
// and how many have written a state snapshot to go back to?
//
// parameters:
//   names: string                            keys of agents, versions, keys, regions, traces, incidents; one a line
//   also: string = ''                        key of what the traces must touch besides; empty: nothing
//   from_ms: integer = 0                     traces that started at or after, epoch ms
//   until_ms: integer = 9007199254740991     traces that started before, epoch ms
//   limit: integer = 200                     rows at most
// columns:
//   task            kind of task; empty where it has none
//   traces          traces, as their weights estimate them
//   failing         failing ones among them
//   unfinished      those with a span that has not ended
//   snapshots       those that wrote a snapshot
//   unsaved         unfinished ones that wrote none
CALL {
  UNWIND split($names, '\n') AS name MATCH (:Agent {key: name})<-[:RAN_ON]-(t:Trace) RETURN t
  UNION UNWIND split($names, '\n') AS name MATCH (:AgentInstance {instanceId: name})<-[:RAN_ON]-(t:Trace) RETURN t
  UNION UNWIND split($names, '\n') AS name MATCH (:Service {name: name})<-[:RAN_ON]-(t:Trace) RETURN t
  UNION UNWIND split($names, '\n') AS name MATCH (:ModelVersion {key: name})<-[:USED]-(t:Trace) RETURN t
  UNION UNWIND split($names, '\n') AS name MATCH (:PromptVersion {name: name})<-[:PROMPTED_BY]-(t:Trace) RETURN t
  UNION UNWIND split($names, '\n') AS name MATCH (:KvKey {key: name})<-[:READ|WROTE]-(t:Trace) RETURN t
  UNION UNWIND split($names, '\n') AS name MATCH (:Region {name: name})<-[:IN_REGION]-(t:Trace) RETURN t
  UNION UNWIND split($names, '\n') AS name MATCH (t:Trace {traceId: name}) RETURN t
  UNION UNWIND split($names, '\n') AS name MATCH (:Incident {incidentId: name})<-[:PART_OF]-(t:Trace) RETURN t
}
WITH DISTINCT t
WHERE t.startMs >= $from_ms AND t.startMs < $until_ms
OPTIONAL MATCH (t)-[:RAN_ON|USED|IN_REGION|READ|WROTE]->(other)
WHERE coalesce(other.key, other.name, other.instanceId) = $also
WITH t, count(other) AS met
WHERE $also = '' OR met > 0
OPTIONAL MATCH (t)-[:HAS_SPAN]->(s:Span)
WHERE s.durationMs IS NULL
WITH t, count(s) AS open
OPTIONAL MATCH (t)-[:WROTE]->(k:KvKey)
WHERE k.key CONTAINS 'agent_state_snapshot:'
WITH t, open, count(k) AS saved
OPTIONAL MATCH (t)-[:OF_TASK]->(task:Task)
RETURN coalesce(task.key, '') AS task, sum(t.weight) AS traces,
       sum(CASE WHEN t.outcome IN ['failed', 'slow', 'hung', 'short', 'wrong'] THEN t.weight ELSE 0.0 END) AS failing,
       sum(CASE WHEN open > 0 THEN t.weight ELSE 0.0 END) AS unfinished,
       sum(CASE WHEN saved > 0 THEN t.weight ELSE 0.0 END) AS snapshots,
       sum(CASE WHEN open > 0 AND saved = 0 THEN t.weight ELSE 0.0 END) AS unsaved
ORDER BY traces DESC, task
LIMIT $limit
