// Incidents that look alike
//
// Which past incidents does each incident resemble, and what were their causes?
//
// parameters:
//   incident_id: string = ''     one incident; empty for all
//   score_min: float = 0.65      least similarity
//   limit: integer = 50          rows at most
// columns:
//   incident_id     id of the incident
//   title           its title
//   past_id         id of the past incident
//   past_title      its title
//   score           similarity, 0..1
//   causes          causes of the past incident, strongest first
MATCH (i:Incident)-[r:RESEMBLES]->(p:Incident)
WHERE ($incident_id = '' OR i.incidentId = $incident_id) AND r.score >= $score_min
OPTIONAL MATCH (p)-[:CAUSED_BY]->(c:Cause {role: 'root'})
WITH i, r, p, c ORDER BY c.rank
WITH i, r, p, collect(c.label) AS causes
RETURN i.incidentId AS incident_id, i.title AS title, p.incidentId AS past_id,
       p.title AS past_title, r.score AS score, causes
ORDER BY incident_id, score DESC, past_id
LIMIT $limit
