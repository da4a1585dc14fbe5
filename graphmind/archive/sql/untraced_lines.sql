-- Lines that belong to no trace, of each service wanted in its time. Bounds on the whole time come
-- first: they let whole row groups be skipped.
SELECT lines.*
FROM lines JOIN wanted
    ON lines.service = wanted.service
    AND lines.time_ns >= wanted.from_ns
    AND lines.time_ns < wanted.until_ns
WHERE time_ns >= $from_ns AND time_ns < $until_ns AND trace_id IS NULL
QUALIFY row_number() OVER (PARTITION BY lines.service ORDER BY time_ns, line_id) <= $most
ORDER BY time_ns, line_id;
