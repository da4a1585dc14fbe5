-- Traces by whether they touch each group and fail, those that touch all of group -1 left out.
WITH sizes AS (
    SELECT number, count(*) AS size FROM wanted_groups GROUP BY number
), touched AS (
    SELECT number, trace_id
    FROM items JOIN wanted_groups USING (kind, name) JOIN sizes USING (number)
    WHERE first_ns IS NULL OR first_ns >= $since_ns AND first_ns <= $last_ns
    GROUP BY number, trace_id
    HAVING count(DISTINCT (kind, name)) = any_value(size)
), rest AS (
    SELECT
        trace_id,
        coalesce(weight, 1) AS weight,
        trace_id IN (
            SELECT trace_id FROM symptoms
            WHERE list_contains($channels, channel)
                AND (began_ns IS NULL OR began_ns >= $since_ns AND began_ns <= $last_ns)
        ) AS failed
    FROM traces
    WHERE start_ns >= $since_ns AND start_ns < $until_ns
        AND trace_id NOT IN (SELECT trace_id FROM touched WHERE number = -1)
), whole AS (
    SELECT
        coalesce(sum(weight) FILTER (failed), 0) AS failed,
        coalesce(sum(weight) FILTER (NOT failed), 0) AS passed
    FROM rest
)
SELECT
    number,
    coalesce(sum(weight) FILTER (rest.failed), 0) AS failed_with,
    coalesce(sum(weight) FILTER (NOT rest.failed), 0) AS passed_with,
    any_value(whole.failed) - failed_with,
    any_value(whole.passed) - passed_with
FROM sizes LEFT JOIN touched USING (number) LEFT JOIN rest USING (trace_id), whole
WHERE number >= 0
GROUP BY number
ORDER BY number;
