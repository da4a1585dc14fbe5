-- How many traces ran a module, and how many of them showed a symptom there, by step.
WITH chosen AS (
    SELECT trace_id, start_ns - start_ns % $step_ns AS at_ns, weight
    FROM traces
    WHERE start_ns >= $from_ns AND start_ns < $until_ns
    AND ($every OR trace_id IN (FROM wanted))
), ran AS (
    SELECT at_ns, name, sum(weight) AS traces
    FROM chosen JOIN items USING (trace_id)
    WHERE items.kind = 'module'
        AND (first_ns IS NULL OR first_ns >= $from_ns AND first_ns <= $last_ns)
    GROUP BY at_ns, name
), wrong AS (
    SELECT at_ns, module AS name, sum(weight) AS failing
    FROM chosen JOIN (
        SELECT DISTINCT trace_id, module
        FROM symptoms
        WHERE channel IS NOT NULL AND module IS NOT NULL
            AND (began_ns IS NULL OR began_ns >= $from_ns AND began_ns <= $last_ns)
    ) USING (trace_id)
    GROUP BY at_ns, module
)
SELECT at_ns, name, traces, coalesce(failing, 0) AS failing
FROM ran LEFT JOIN wrong USING (at_ns, name)
ORDER BY at_ns, name;
