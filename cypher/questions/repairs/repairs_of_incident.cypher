// Repairs of an incident
//
// What was tried on this incident, in order of time, on what, and what came of it?
//
// parameters:
//   incident_id: string      id of the incident
//   limit: integer = 50      rows at most
// columns:
//   repair_id       id of the repair
//   strategy        `strategyId@revision`
//   action          what it does
//   target          `kind:name` of what it acts on
//   mode            dry run or live
//   state           state of the repair
//   verdict         what verification measured; empty before that
//   requested_by    who asked for it
//   approved_by     who approved it, sorted
//   requested_ms    asked for, epoch ms
//   seconds         from asked for to ended; null while it has not ended
MATCH (:Incident {incidentId: $incident_id})<-[:REPAIRS]-(r:Repair)
OPTIONAL MATCH (r)-[:HAS_APPROVAL]->(a:Approval {what: 'approved'})
WITH r, a.who AS who
ORDER BY who
WITH r, collect(DISTINCT who) AS approved_by
RETURN r.repairId AS repair_id, r.strategy AS strategy, r.action AS action, r.target AS target,
       r.mode AS mode, r.state AS state, coalesce(r.verdict, '') AS verdict, r.requestedBy AS requested_by,
       approved_by, r.requestedMs AS requested_ms,
       (r.endedMs - r.requestedMs) / 1000.0 AS seconds
ORDER BY requested_ms, repair_id
LIMIT $limit
