-- Anew from all spans of the traces, so that the order of appends does not show.
INSERT INTO extents
SELECT trace_id, min(start_ns), max(start_ns), $load, false
FROM spans
WHERE trace_id IN (FROM gained)
    AND (start_ns BETWEEN $first_ns AND $last_ns OR start_ns IS NULL)
GROUP BY trace_id;
