-- The traces whose facts are asked for, numbered in the order of the answer.
CREATE TEMP TABLE selected AS
SELECT trace_id, row_number() OVER (ORDER BY start_ns, trace_id) AS place
FROM traces
WHERE ($from_ns::BIGINT IS NULL OR start_ns >= $from_ns)
    AND ($until_ns::BIGINT IS NULL OR start_ns < $until_ns)
    AND ($every OR trace_id IN (FROM wanted));
