-- Points asked for, series by series.
SELECT *
FROM points
WHERE time_ns >= $from_ns
    AND time_ns < $until_ns
    AND ($every OR trace_id IN (FROM wanted))
    AND ($any_name OR name IN (FROM wanted_names))
    AND starts_with(name, $prefix)
    AND ($agent IS NULL OR agent = $agent)
    AND ($module IS NULL OR module = $module)
ORDER BY name, labels, time_ns, trace_id NULLS FIRST;
