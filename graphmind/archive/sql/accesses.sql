-- Accesses of the traces kept, and the writes of the others to what those read: a value that was
-- read has a writer, whether its trace was kept or not.
SELECT f.*
FROM accesses AS f JOIN selected USING (trace_id)
WHERE selected.kept
    OR f.op = 'write' AND f.key IN (
        SELECT a.key FROM accesses AS a JOIN selected AS s USING (trace_id) WHERE s.kept AND a.op = 'read'
    )
ORDER BY selected.place, f.rowid;
