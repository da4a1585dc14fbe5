// Repairs that were undone
//
// Which repairs were intercepted, rolled back, or are being rolled back, and which step says why?
//
// parameters:
//   from_ms: integer = 0     repairs asked for at or after, epoch ms
//   limit: integer = 50      rows at most
// columns:
//   repair_id      id of the repair
//   incident_id    incident it was meant to end
//   strategy       `strategyId@revision`
//   state          state of the repair
//   verdict        what verification measured; empty where it did not get so far
//   steps          steps it had
//   details        answers of the steps that failed, in order
MATCH (r:Repair)
WHERE r.state IN ['intercepted', 'rolling_back', 'rolled_back'] AND r.requestedMs >= $from_ms
OPTIONAL MATCH (r)-[:HAS_STEP]->(s:RepairStep)
WITH r, s
ORDER BY s.startedMs, s.key
WITH r, count(s) AS steps,
     collect(CASE WHEN s.state = 'failed' THEN s.detail ELSE null END) AS details
RETURN r.repairId AS repair_id, r.incidentId AS incident_id, r.strategy AS strategy,
       r.state AS state, coalesce(r.verdict, '') AS verdict, steps, details
ORDER BY r.requestedMs DESC, repair_id
LIMIT $limit
