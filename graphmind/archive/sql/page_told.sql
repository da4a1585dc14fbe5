-- What else is told of each trace of a page: its symptoms, and what it touched first of three kinds.
WITH shown AS (
    SELECT trace_id, list_sort(list(DISTINCT kind)) AS symptoms
    FROM symptoms
    WHERE channel IS NOT NULL
        AND (began_ns IS NULL OR began_ns >= $first_ns AND began_ns <= $last_ns)
        AND trace_id IN (SELECT trace_id FROM page)
    GROUP BY trace_id
), firsts AS (
    SELECT
        trace_id,
        arg_min(name, (first_ns, name)) FILTER (kind = 'agent') AS agent,
        arg_min(name, (first_ns, name)) FILTER (kind = 'region') AS region,
        arg_min(name, (first_ns, name)) FILTER (kind = 'model_version') AS model_version
    FROM items
    WHERE kind IN ('agent', 'region', 'model_version')
        AND (first_ns IS NULL OR first_ns >= $first_ns AND first_ns <= $last_ns)
        AND trace_id IN (SELECT trace_id FROM page)
    GROUP BY trace_id
)
SELECT page.*, coalesce(symptoms, []) AS symptoms, agent, region, model_version
FROM page LEFT JOIN shown USING (trace_id) LEFT JOIN firsts USING (trace_id)
ORDER BY start_ns {order}, trace_id;
