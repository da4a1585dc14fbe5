-- Rows of one trace stay in the order in which they were stored.
SELECT f.*
FROM {table} AS f JOIN selected USING (trace_id)
WHERE selected.kept
ORDER BY selected.place, f.rowid;
