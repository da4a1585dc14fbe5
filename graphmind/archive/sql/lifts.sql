-- How the traces fare that touch what one trace touched.
WITH own AS (
    SELECT DISTINCT kind, name
    FROM items WHERE trace_id = $trace_id 
        AND (first_ns IS NULL OR first_ns >= $since_ns AND first_ns <= $last_ns)
), touched AS (
    SELECT DISTINCT kind, name, trace_id
    FROM items JOIN own USING (kind, name)
    WHERE first_ns IS NULL OR first_ns >= $since_ns AND first_ns <= $last_ns
), failing AS (
    SELECT DISTINCT trace_id FROM symptoms WHERE channel IS NOT NULL
)
SELECT
    kind,
    name,
    sum(coalesce(weight, 1)) AS traces,
    coalesce(sum(coalesce(weight, 1)) FILTER (failing.trace_id IS NOT NULL), 0) AS failing
FROM touched JOIN traces USING (trace_id) LEFT JOIN failing USING (trace_id)
WHERE start_ns >= $since_ns AND start_ns < $until_ns
GROUP BY kind, name
ORDER BY kind, name;
