-- What is new, each once: the first value stays.
INSERT INTO points BY NAME
SELECT * EXCLUDE (place)
FROM arriving AS a
ANTI JOIN known_points AS k
    ON a.name = k.name
        AND a.labels = k.labels
        AND a.time_ns = k.time_ns
        AND coalesce(a.trace_id, '') = k.exemplar
QUALIFY row_number() OVER (
    PARTITION BY a.name, a.labels, a.time_ns, coalesce(a.trace_id, '') ORDER BY place
) = 1;
