-- How many traces ran a module, and how many of them showed a symptom there, by step.
WITH chosen AS (
    SELECT trace_id, start_ns - start_ns % $step_ns AS at_ns, weight
    FROM traces
    WHERE start_ns >= $from_ns AND start_ns < $until_ns
    AND ($every OR trace_id IN (FROM wanted))
), wrong AS (
    SELECT DISTINCT trace_id, module
    FROM symptoms
    WHERE channel IS NOT NULL AND module IS NOT NULL
)
SELECT
    at_ns,
    name,
    sum(weight) AS traces,
    coalesce(sum(weight) FILTER (wrong.module IS NOT NULL), 0) AS failing
FROM chosen
JOIN items USING (trace_id)
LEFT JOIN wrong ON wrong.trace_id = chosen.trace_id AND wrong.module = items.name
WHERE items.kind = 'module'
    AND (first_ns IS NULL OR first_ns >= $from_ns) -- touched no earlier than the trace began
GROUP BY at_ns, name
ORDER BY at_ns, name;
