-- Of the traces given, those that look as if something went wrong: an error, an open span, no root.
SELECT trace_id FROM extents WHERE trace_id IN (FROM wanted) AND (NOT rooted OR open_ns IS NOT NULL)
UNION
SELECT trace_id FROM spans
WHERE trace_id IN (FROM wanted)
    AND status = $error
    AND start_ns >= (SELECT min(first_ns) FROM extents WHERE trace_id IN (FROM wanted))
ORDER BY trace_id;
