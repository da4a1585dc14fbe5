-- Accesses of the traces kept, and of those others that wrote: a value that was read has a writer,
-- whether its trace was kept or not, and so has what that one read before it wrote.
SELECT f.*
FROM accesses AS f JOIN selected USING (trace_id)
WHERE selected.kept
    OR trace_id IN (SELECT a.trace_id FROM accesses AS a JOIN selected USING (trace_id) WHERE a.op = 'write')
ORDER BY selected.place, f.rowid;
