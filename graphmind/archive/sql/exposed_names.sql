-- What the exposed traces touch, the first names of each kind.
SELECT kind, name
FROM items
WHERE kind IN ('task', 'agent', 'region', 'kv_key')
    AND trace_id IN (SELECT trace_id FROM exposed)
    AND (first_ns IS NULL OR first_ns >= $since_ns AND first_ns <= $last_ns)
GROUP BY kind, name
QUALIFY row_number() OVER (PARTITION BY kind ORDER BY name) <= $names_max
ORDER BY kind, name;
