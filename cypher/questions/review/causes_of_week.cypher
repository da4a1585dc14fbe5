// Causes of a week, new and recurring
//
// Which things did root causes of the incidents that began in this time name, and had they been causes
// before?
//
// parameters:
//   from_ms: integer = 0                     incidents that began at or after, epoch ms
//   until_ms: integer = 9007199254740991     incidents that began before, epoch ms
//   limit: integer = 50                      rows at most
// columns:
//   kind          label of the thing
//   name          its key
//   incidents     incidents of that time
//   traces        failing traces that those explain
//   open          how many of them are open
//   earlier       incidents before that time with the same cause; 0 is a new cause
MATCH (i:Incident)-[:CAUSED_BY]->(:Cause {role: 'root'})-[:NAMES]->(thing)
WHERE i.onsetMs < $until_ms
WITH DISTINCT thing, i
WITH labels(thing)[0] AS kind, coalesce(thing.key, thing.name, thing.instanceId, thing.traceId) AS name,
     sum(CASE WHEN i.onsetMs >= $from_ms THEN 1 ELSE 0 END) AS incidents,
     sum(CASE WHEN i.onsetMs >= $from_ms THEN coalesce(i.traceCount, 0) ELSE 0 END) AS traces,
     sum(CASE WHEN i.onsetMs >= $from_ms AND i.state = 'open' THEN 1 ELSE 0 END) AS open,
     sum(CASE WHEN i.onsetMs < $from_ms THEN 1 ELSE 0 END) AS earlier
WHERE incidents > 0
RETURN kind, name, incidents, traces, open, earlier
ORDER BY traces DESC, kind, name
LIMIT $limit
