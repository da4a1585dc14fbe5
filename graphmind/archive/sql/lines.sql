-- Lines asked for. Bounds on time come first: they let whole row groups be skipped.
SELECT *
FROM lines
WHERE time_ns >= $from_ns
    AND time_ns < $until_ns
    AND ($every OR trace_id IN (FROM wanted))
ORDER BY time_ns, line_id;
