-- The traces of this append.
CREATE TEMP TABLE touched AS
SELECT trace_id, min(start_ns) AS first_ns, max(start_ns) AS last_ns
FROM spans
WHERE load = $load
GROUP BY trace_id;
