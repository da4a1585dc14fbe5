-- Ids of the traces that a filter wants; of too many every k-th.
SELECT trace_id
FROM (
    SELECT trace_id,
        row_number() OVER (ORDER BY start_ns, trace_id) - 1 AS place,
        count(*) OVER () AS found
    FROM traces WHERE {conditions}
)
WHERE place % greatest((found + $most - 1) // $most, 1) = 0
ORDER BY place;
