// Keys with many writers and readers
//
// Which keys of the state store do many traces both write and read, so that one bad value would spread?
//
// parameters:
//   from_ms: integer = 0                     traces that started at or after, epoch ms
//   until_ms: integer = 9007199254740991     traces that started before, epoch ms
//   writers_min: integer = 1                 traces that must have written it
//   limit: integer = 50                      rows at most
// columns:
//   key             key of the state store
//   writers         traces that wrote it, of the traces kept
//   readers         traces that read it, of the traces kept
//   failing         failing ones among the readers
//   quarantined     whether reads of it are refused; null where not known
MATCH (k:KvKey)<-[:WROTE]-(w:Trace)
WHERE w.startMs >= $from_ms AND w.startMs < $until_ms
WITH k, count(DISTINCT w) AS writers
WHERE writers >= $writers_min
MATCH (k)<-[:READ]-(t:Trace)
WHERE t.startMs >= $from_ms AND t.startMs < $until_ms
WITH k, writers, count(t) AS readers,
     sum(CASE WHEN t.outcome IN ['failed', 'slow', 'hung', 'short', 'wrong'] THEN 1 ELSE 0 END) AS failing
RETURN k.key AS key, writers, readers, failing, k.quarantined AS quarantined
ORDER BY writers * readers DESC, key
LIMIT $limit
