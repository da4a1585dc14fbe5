-- Failing traces by the node where they went wrong, most first.
SELECT
    fault_module AS module,
    fault_path AS path,
    outcome,
    sum(weight) AS failing,
    quantile_cont(duration_ns, 0.95) AS p95_ns
FROM traces
WHERE start_ns >= $from_ns AND start_ns < $until_ns
    AND ($every OR trace_id IN (FROM wanted))
    AND outcome NOT IN ('ok', 'incomplete')
GROUP BY module, path, outcome
ORDER BY failing DESC, path, module, outcome
LIMIT $rows_max;
