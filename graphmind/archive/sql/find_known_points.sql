-- Only row groups about the times that arrive are read.
INSERT INTO known_points
SELECT name, labels, time_ns, coalesce(trace_id, '')
FROM points
WHERE time_ns BETWEEN $first_ns AND $last_ns
    AND (name, labels, time_ns, coalesce(trace_id, ''))
        IN (SELECT (name, labels, time_ns, coalesce(trace_id, '')) FROM arriving);
