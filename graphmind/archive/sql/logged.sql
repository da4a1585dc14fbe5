-- Which traces logged lines of which pattern, and when.
SELECT trace_id, pattern, min(time_ns) AS first_ns, max(time_ns) AS last_ns
FROM lines
WHERE time_ns >= $from_ns
    AND time_ns < $until_ns
    AND pattern IS NOT NULL
    AND trace_id IN (FROM wanted)
GROUP BY trace_id, pattern
ORDER BY trace_id, pattern;
