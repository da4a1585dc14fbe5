-- Which of the wanted traces touch all items of which group.
WITH sizes AS (
    SELECT number, count(*) AS size FROM wanted_groups GROUP BY number
)
SELECT number, trace_id
FROM items JOIN wanted_groups USING (kind, name) JOIN sizes USING (number)
WHERE (first_ns IS NULL OR first_ns >= $first_ns AND first_ns <= $last_ns)
    AND trace_id IN (FROM wanted)
GROUP BY number, trace_id
HAVING count(DISTINCT (kind, name)) = any_value(size);
