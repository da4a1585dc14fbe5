-- How many failing traces touched an item of a kind, by step and by the label of the trace.
SELECT
    start_ns - start_ns % $step_ns AS at_ns,
    name,
    coalesce(label, $otherwise) AS label,
    sum(weight) AS failing
FROM traces
JOIN items USING (trace_id)
LEFT JOIN labels USING (trace_id)
WHERE start_ns >= $from_ns AND start_ns < $until_ns
    AND ($every OR trace_id IN (FROM wanted))
    AND (first_ns IS NULL OR first_ns >= $from_ns AND first_ns <= $last_ns)
    AND kind = $kind AND outcome NOT IN ('ok', 'incomplete')
GROUP BY ALL
ORDER BY at_ns, name, label;
