-- Traces that failed and that did not, of each at most so many, drawn by weight (priority sampling):
-- the weights given estimate the same sums without bias. The same ids give the same draw.
WITH drawn AS (
    SELECT trace_id, outcome <> 'ok' AS failing, weight,
        weight / ((md5_number_lower(trace_id) % 1000000007 + 0.5) / 1000000007) AS priority
    FROM traces
    WHERE start_ns >= $from_ns AND start_ns < $until_ns
        AND ($every OR trace_id IN (FROM wanted))
        AND outcome <> 'incomplete'
), placed AS (
    SELECT *, row_number() OVER (PARTITION BY failing ORDER BY priority DESC, trace_id) AS place
    FROM drawn
), bounded AS (
    SELECT *, max(priority) FILTER (place > $traces_max) OVER (PARTITION BY failing) AS bound
    FROM placed
)
SELECT trace_id, failing, greatest(weight, coalesce(bound, 0)) AS weight
FROM bounded
WHERE place <= $traces_max
ORDER BY trace_id;
