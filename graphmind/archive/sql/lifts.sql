-- How the traces fare that touch what one trace touched. Traces go by number: texts of so many rows
-- are dear to keep apart.
WITH own AS MATERIALIZED (
    SELECT DISTINCT kind, name
    FROM items WHERE trace_id = $trace_id
        AND (first_ns IS NULL OR first_ns >= $since_ns AND first_ns <= $last_ns)
), known AS (
    SELECT
        trace_id,
        rowid AS number,
        coalesce(weight, 1) AS weight,
        trace_id IN (
            SELECT trace_id FROM symptoms
            WHERE channel IS NOT NULL
                AND (began_ns IS NULL OR began_ns >= $since_ns AND began_ns <= $last_ns)
        ) AS failing
    FROM traces
    WHERE start_ns >= $since_ns AND start_ns < $until_ns
), touched AS (
    SELECT DISTINCT kind, name, number, weight, failing
    FROM items JOIN own USING (kind, name) JOIN known USING (trace_id)
    WHERE first_ns IS NULL OR first_ns >= $since_ns AND first_ns <= $last_ns
)
SELECT kind, name, sum(weight) AS traces, coalesce(sum(weight) FILTER (failing), 0) AS failing
FROM touched
GROUP BY kind, name
ORDER BY kind, name;
