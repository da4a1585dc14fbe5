// Who else a repair would hit
//
// Which agents and regions do the traces use that touch the things a repair acts on, and which of
// the agents restart without losing what they do?
//
// parameters:
//   names: string                            keys of agents, versions, keys, regions, traces, incidents; one a line
//   also: string = ''                        key of what the traces must touch besides; empty: nothing
//   from_ms: integer = 0                     traces that started at or after, epoch ms
//   until_ms: integer = 9007199254740991     traces that started before, epoch ms
//   limit: integer = 500                     rows at most
// columns:
//   kind            Agent or Region
//   name            its key
//   traces          traces that touch it, as their weights estimate them
//   share           of all its traces in that time
//   hot_restart     whether the agent restarts without losing what it does; null where not known
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
MATCH (t)-[:RAN_ON|IN_REGION]->(user:Agent|Region)
WITH DISTINCT t, user
WITH user, sum(t.weight) AS traces
MATCH (user)<-[:RAN_ON|IN_REGION]-(any:Trace)
WHERE any.startMs >= $from_ms AND any.startMs < $until_ms
RETURN labels(user)[0] AS kind, coalesce(user.key, user.name) AS name, traces,
       traces / sum(any.weight) AS share, user.hotRestart AS hot_restart
ORDER BY kind, traces DESC, name
LIMIT $limit
