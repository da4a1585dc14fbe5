-- Unsettled traces that need be waited for no longer, those that came first first.
SELECT trace_id
FROM live_extents
WHERE NOT settled
    AND (
        (gained_ms <= $quiet_since_ms AND rooted AND open_ns IS NULL)
        OR gained_ms <= $overdue_since_ms
        OR open_ns <= $hung_since_ns
    )
ORDER BY gained, trace_id
LIMIT $traces_max;
