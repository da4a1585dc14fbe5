-- The traces whose facts are asked for, numbered in the order of the answer. Those not kept are
-- healthy ones left out by chance: the same hash of the same id decides the same each time.
CREATE OR REPLACE TEMP TABLE selected AS
SELECT
    trace_id,
    row_number() OVER (ORDER BY start_ns, trace_id) AS place,
    $healthy_share >= 1
    OR coalesce(outcome, '') NOT IN ('ok', 'incomplete')
    OR md5_number_lower(trace_id) % 1000000 < $healthy_share * 1000000 AS kept
FROM traces
WHERE ($from_ns::BIGINT IS NULL OR start_ns >= $from_ns)
    AND ($until_ns::BIGINT IS NULL OR start_ns < $until_ns)
    AND ($every OR trace_id IN (FROM wanted));
