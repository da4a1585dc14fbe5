-- Upper duration of the traces each agent took part in since; the agents with most traces.
SELECT name, quantile_cont(duration_ns, 0.95)
FROM items JOIN traces USING (trace_id)
WHERE kind = 'agent' AND start_ns >= $since_ns
GROUP BY name
ORDER BY count(*) DESC, name
LIMIT $agents_max;
