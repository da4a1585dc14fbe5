-- The traces of a time that touch all items of the one group.
CREATE OR REPLACE TEMP TABLE exposed AS
SELECT trace_id, start_ns, coalesce(weight, 1) AS weight
FROM traces
WHERE start_ns >= $since_ns AND start_ns < $until_ns AND trace_id IN (
    SELECT trace_id
    FROM items JOIN wanted_groups USING (kind, name)
    WHERE first_ns IS NULL OR first_ns >= $since_ns AND first_ns <= $last_ns
    GROUP BY trace_id
    HAVING count(DISTINCT (kind, name)) = (SELECT count(*) FROM wanted_groups)
);
