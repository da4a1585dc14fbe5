-- The same line has the same time, so only row groups about the times that arrive are read.
INSERT INTO known_lines
SELECT line_id
FROM lines
WHERE time_ns BETWEEN $first_ns AND $last_ns
    AND line_id IN (SELECT line_id FROM arriving);
