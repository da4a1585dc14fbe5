SELECT
    coalesce(sum(weight), 0),
    coalesce(sum(weight) FILTER (
        trace_id IN (
            SELECT trace_id FROM symptoms
            WHERE channel IS NOT NULL
                AND (began_ns IS NULL OR began_ns >= $since_ns AND began_ns <= $last_ns)
        )
    ), 0),
    max(start_ns)
FROM exposed;
