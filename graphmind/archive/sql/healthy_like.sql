-- The healthy trace of the same task and root that began nearest.
SELECT trace_id
FROM traces
WHERE start_ns >= $since_ns AND start_ns < $until_ns
    AND outcome = 'ok' AND complete AND trace_id <> $trace_id
    AND task IS NOT DISTINCT FROM $task AND root_name IS NOT DISTINCT FROM $root_name
ORDER BY abs(start_ns - $start_ns), trace_id
LIMIT 1;
