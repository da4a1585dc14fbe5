-- What each trace of a page touched first of three kinds.
SELECT
    trace_id,
    arg_min(name, (first_ns, name)) FILTER (kind = 'agent') AS agent,
    arg_min(name, (first_ns, name)) FILTER (kind = 'region') AS region,
    arg_min(name, (first_ns, name)) FILTER (kind = 'model_version') AS model_version
FROM items
WHERE kind IN ('agent', 'region', 'model_version')
    AND (first_ns IS NULL OR first_ns >= $first_ns AND first_ns <= $last_ns)
    AND trace_id IN (SELECT trace_id FROM page)
GROUP BY trace_id;
