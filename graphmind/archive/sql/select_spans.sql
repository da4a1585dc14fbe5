-- The traces whose spans are asked for.
CREATE OR REPLACE TEMP TABLE selected AS
SELECT trace_id, first_ns, last_ns, 0 AS part
FROM {table}
WHERE ($from_ns::BIGINT IS NULL OR first_ns >= $from_ns)
    AND ($until_ns::BIGINT IS NULL OR first_ns < $until_ns)
    AND ($every OR trace_id IN (FROM wanted));
