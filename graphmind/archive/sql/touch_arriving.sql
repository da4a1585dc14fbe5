-- The traces of the rows that arrive.
CREATE TEMP TABLE touched AS
SELECT trace_id, min(start_ns) AS first_ns, max(start_ns) AS last_ns FROM arriving GROUP BY trace_id;
