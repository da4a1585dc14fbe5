-- The healthy trace of the same task and root that began nearest.
WITH own AS (
    SELECT task, root_name, start_ns FROM traces WHERE trace_id = $trace_id
)
SELECT t.trace_id
FROM traces AS t, own
WHERE t.outcome = 'ok' AND t.complete AND t.trace_id <> $trace_id
    AND t.task IS NOT DISTINCT FROM own.task AND t.root_name IS NOT DISTINCT FROM own.root_name
ORDER BY abs(t.start_ns - own.start_ns), t.trace_id
LIMIT 1;
