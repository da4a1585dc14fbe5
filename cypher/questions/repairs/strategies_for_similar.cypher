// What worked on incidents like this one
//
// Which strategies were tried on the incidents that this one resembles, and how often did they work?
//
// parameters:
//   incident_id: string           id of the incident
//   score_min: float = 0.65       least similarity
//   limit: integer = 50           rows at most
// columns:
//   strategy       `strategyId@revision`
//   tried          repairs that followed it
//   effective      those that took effect
//   past_ids       incidents they were meant to end, sorted
//   score          similarity of the closest of them, 0..1
MATCH (:Incident {incidentId: $incident_id})-[like:RESEMBLES]->(p:Incident)<-[:REPAIRS]-(r:Repair)
WHERE like.score >= $score_min
WITH like, p, r
ORDER BY p.incidentId
RETURN r.strategy AS strategy, count(*) AS tried,
       sum(CASE WHEN r.verdict IN ['effective', 'confirmed'] THEN 1 ELSE 0 END) AS effective,
       collect(DISTINCT p.incidentId) AS past_ids, max(like.score) AS score
ORDER BY effective DESC, score DESC, strategy
LIMIT $limit
