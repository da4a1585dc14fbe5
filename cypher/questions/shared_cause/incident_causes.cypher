// Causes of incidents
//
// What do the failing traces of each incident share, and how sure is that?
//
// parameters:
//   incident_id: string = ''     one incident; empty for all
//   limit: integer = 50          rows at most
// columns:
//   incident_id     id of the incident
//   title           its title
//   rank            1 is the strongest cause
//   role            root, critical or impact
//   cause           the thing shared, for people
//   names           keys of the things it names, sorted
//   confidence      chance that it is the cause
//   risk_ratio      failing share with it over without it
//   failed_with     failing traces that touch it; of an impact, those of the incident
//   failed_total    failing traces
MATCH (i:Incident)-[:CAUSED_BY]->(c:Cause)
WHERE $incident_id = '' OR i.incidentId = $incident_id
OPTIONAL MATCH (c)-[:NAMES]->(n)
WITH i, c, coalesce(n.key, n.name, n.instanceId, n.traceId) AS name
ORDER BY name
WITH i, c, collect(name) AS names
RETURN i.incidentId AS incident_id, i.title AS title, c.rank AS rank, c.role AS role,
       c.label AS cause, names, c.confidence AS confidence, c.riskRatio AS risk_ratio,
       c.failedWith AS failed_with, c.failedTotal AS failed_total
ORDER BY incident_id, rank
LIMIT $limit
