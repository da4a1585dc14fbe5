// What the traces of an incident touch
//
// Which resources do the failing traces of this incident touch, and what share of them?
//
// parameters:
//   incident_id: string       id of the incident
//   traces_max: integer = 1000   traces looked at
//   limit: integer = 100      rows at most
// columns:
//   relation     how the traces touch it
//   kind         label of the resource
//   name         its key
//   traces       traces of the incident that touch it
//   share        those over the traces looked at
MATCH (:Incident {incidentId: $incident_id})<-[:PART_OF]-(t:Trace)
WITH t ORDER BY t.traceId LIMIT $traces_max
WITH collect(t) AS traces
UNWIND traces AS t
MATCH (t)-[e:RAN_ON|USED|IN_REGION|FAILED_AT|RAISED|READ|WROTE|CALLED|REACHED|PROMPTED_BY]->(r)
WITH type(e) AS relation, labels(r)[0] AS kind,
     coalesce(r.key, r.name, r.instanceId) AS name, size(traces) AS total, count(*) AS touching
RETURN relation, kind, name, touching AS traces, toFloat(touching) / total AS share
ORDER BY touching DESC, relation, kind, name
LIMIT $limit
