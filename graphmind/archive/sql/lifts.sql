-- How the traces fare that touch what one trace touched. What it touched goes by number, and a trace
-- touches an item once: texts of so many rows are dear to keep apart.
WITH own AS MATERIALIZED (
    SELECT kind, name, row_number() OVER () AS number
    FROM items WHERE trace_id = $trace_id
        AND (first_ns IS NULL OR first_ns >= $since_ns AND first_ns <= $last_ns)
), known AS (
    SELECT
        trace_id,
        coalesce(weight, 1) AS weight,
        trace_id IN (
            SELECT trace_id FROM symptoms
            WHERE channel IS NOT NULL
                AND (began_ns IS NULL OR began_ns >= $since_ns AND began_ns <= $last_ns)
        ) AS failing
    FROM traces
    WHERE start_ns >= $since_ns AND start_ns < $until_ns
), counted AS (
    SELECT number, sum(weight) AS traces, coalesce(sum(weight) FILTER (failing), 0) AS failing
    FROM items JOIN own USING (kind, name) JOIN known USING (trace_id)
    WHERE first_ns IS NULL OR first_ns >= $since_ns AND first_ns <= $last_ns
    GROUP BY number
)
SELECT kind, name, traces, failing
FROM own JOIN counted USING (number)
ORDER BY kind, name;
