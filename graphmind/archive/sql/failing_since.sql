-- When the newest failing traces selected began, so many of them; no row where there are fewer.
SELECT start_ns
FROM (SELECT trace_id, start_ns, coalesce(outcome, '') IN ('ok', 'incomplete') AS healthy FROM traces)
JOIN selected USING (trace_id)
WHERE NOT healthy
ORDER BY start_ns DESC
LIMIT 1 OFFSET $count - 1;
