-- Of each item of a kind, complete traces drawn so that each stands for as many: of the traces with
-- the largest weight all, of others a share by their weight. The same ids give the same draw.
WITH drawn AS (
    SELECT trace_id, start_ns, weight,
        (md5_number_lower(trace_id) % 1000000007 + 0.5) / 1000000007 AS chance
    FROM traces
    WHERE start_ns >= $from_ns AND start_ns < $until_ns
        AND ($every OR trace_id IN (FROM wanted))
        AND complete
), touched AS (
    SELECT name, trace_id, start_ns, weight, chance,
        max(weight) OVER (PARTITION BY name) AS heaviest,
        count(*) OVER (PARTITION BY name) AS kept
    FROM items JOIN drawn USING (trace_id)
    WHERE kind = $kind AND ($name::VARCHAR IS NULL OR name = $name)
        AND (first_ns IS NULL OR first_ns >= $from_ns) -- touched no earlier than the trace began
), most AS (
    SELECT name FROM touched GROUP BY name ORDER BY max(kept) DESC, name LIMIT $groups_max
)
SELECT name, trace_id, start_ns
FROM touched SEMI JOIN most USING (name)
WHERE chance * heaviest <= weight
QUALIFY row_number() OVER (PARTITION BY name ORDER BY chance / weight, trace_id) <= $traces_max
ORDER BY name, start_ns, trace_id;
