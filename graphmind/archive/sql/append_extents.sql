-- Anew from all spans of the traces, so that the order of appends does not show.
INSERT INTO live_extents
SELECT
    trace_id,
    min(start_ns),
    max(start_ns),
    $load,
    $at_ms,
    false,
    bool_or(parent_span_id IS NULL AND end_ns IS NOT NULL),
    min(start_ns) FILTER (end_ns IS NULL)
FROM spans
WHERE trace_id IN (FROM gained)
    AND (start_ns BETWEEN $first_ns AND $last_ns OR start_ns IS NULL)
GROUP BY trace_id;
