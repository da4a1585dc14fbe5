-- How many traces ended how, by the step in which they began.
SELECT start_ns - start_ns % $step_ns AS at_ns, outcome, sum(weight) AS traces
FROM traces
WHERE start_ns >= $from_ns AND start_ns < $until_ns
    AND ($every OR trace_id IN (FROM wanted))
GROUP BY at_ns, outcome
ORDER BY at_ns, outcome;
