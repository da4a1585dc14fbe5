-- The items of a kind with the traces that touched them; those with most failing traces first.
SELECT
    name,
    sum(weight) AS traces,
    coalesce(sum(weight) FILTER (outcome NOT IN ('ok', 'incomplete')), 0) AS failing,
    coalesce(sum(weight) FILTER (complete), 0) AS complete,
    count(*) AS kept,
    quantile_cont(duration_ns, 0.95) AS p95_ns,
    max(start_ns) AS last_ns
FROM items JOIN traces USING (trace_id)
WHERE start_ns >= $from_ns AND start_ns < $until_ns
    AND ($every OR trace_id IN (FROM wanted))
    AND kind = $kind
    AND (first_ns IS NULL OR first_ns >= $from_ns AND first_ns <= $last_ns)
GROUP BY name
ORDER BY failing DESC, traces DESC, name
LIMIT $groups_max;
