-- Traces by whether they touch group 0 and fail, those that touch all of group 1 left out.
WITH sizes AS (
    SELECT number, count(*) AS size FROM wanted_groups GROUP BY number
), touched AS (
    SELECT number, trace_id
    FROM items JOIN wanted_groups USING (kind, name) JOIN sizes USING (number)
    WHERE first_ns IS NULL OR first_ns >= $since_ns
    GROUP BY number, trace_id
    HAVING count(DISTINCT (kind, name)) = any_value(size)
), rest AS (
    SELECT
        coalesce(weight, 1) AS weight,
        trace_id IN (SELECT trace_id FROM touched WHERE number = 0) AS with_it,
        trace_id IN (
            SELECT trace_id FROM symptoms WHERE list_contains($channels, channel)
        ) AS failed
    FROM traces
    WHERE start_ns >= $since_ns AND start_ns < $until_ns
        AND trace_id NOT IN (SELECT trace_id FROM touched WHERE number = 1)
)
SELECT
    coalesce(sum(weight) FILTER (failed AND with_it), 0),
    coalesce(sum(weight) FILTER (NOT failed AND with_it), 0),
    coalesce(sum(weight) FILTER (failed AND NOT with_it), 0),
    coalesce(sum(weight) FILTER (NOT failed AND NOT with_it), 0)
FROM rest;
