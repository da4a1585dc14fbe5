// Calls between modules
//
// Which module calls which, how slow is it and how often does it fail?
//
// parameters:
//   limit: integer = 100     rows at most
// columns:
//   caller          module that calls
//   called          module that is called
//   calls           calls seen
//   errors          calls with an error status
//   error_share     errors over calls
//   p95_ms          95th percentile of the duration, ms
MATCH (a:Module)-[c:CALLS]->(b:Module)
RETURN a.name AS caller, b.name AS called, c.calls AS calls, c.errors AS errors,
       toFloat(c.errors) / c.calls AS error_share, c.p95Ms AS p95_ms
ORDER BY errors DESC, calls DESC, caller, called
LIMIT $limit
