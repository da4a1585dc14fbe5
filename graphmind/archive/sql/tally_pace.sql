-- How many traces began in each step, and how they fared.
SELECT
    start_ns - start_ns % $step_ns AS at_ns,
    sum(weight) AS traces,
    coalesce(sum(weight) FILTER (outcome NOT IN ('ok', 'incomplete')), 0) AS failing,
    coalesce(sum(weight) FILTER (complete), 0) AS complete,
    count(*) AS kept,
    sum(span_count)::BIGINT AS spans,
    quantile_cont(duration_ns, 0.5) AS p50_ns,
    quantile_cont(duration_ns, 0.95) AS p95_ns
FROM traces
WHERE start_ns >= $from_ns AND start_ns < $until_ns
    AND ($every OR trace_id IN (FROM wanted))
GROUP BY at_ns
ORDER BY at_ns;
