SELECT
    coalesce(sum(weight), 0),
    coalesce(sum(weight) FILTER (
        trace_id IN (SELECT trace_id FROM symptoms WHERE channel IS NOT NULL)
    ), 0),
    max(start_ns)
FROM exposed;
