-- Incidents by the kind of their first cause and their state, without reading the rest of them.
SELECT
    coalesce(document ->> '$.causes[0].kind', '') AS kind,
    coalesce(document ->> '$.state', '') AS state,
    count(*)
FROM incidents
GROUP BY kind, state
ORDER BY kind, state;
