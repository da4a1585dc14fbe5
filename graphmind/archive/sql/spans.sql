SELECT * EXCLUDE (load)
FROM spans
WHERE trace_id IN (SELECT trace_id FROM selected WHERE part = $part)
    AND (start_ns BETWEEN $first_ns AND $last_ns OR start_ns IS NULL)
ORDER BY trace_id, start_ns, span_id;
