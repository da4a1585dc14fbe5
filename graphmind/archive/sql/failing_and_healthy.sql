-- How many traces selected show a symptom, and how many do not.
SELECT count(*) FILTER (WHERE NOT healthy), count(*) FILTER (WHERE healthy)
FROM (SELECT coalesce(outcome, '') IN ('ok', 'incomplete') AS healthy FROM traces JOIN selected USING (trace_id));
