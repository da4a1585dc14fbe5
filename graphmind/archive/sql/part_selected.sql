-- Whole traces in parts of about $spans_max spans, in the order in which they began.
CREATE OR REPLACE TEMP TABLE selected AS
WITH sizes AS (
    SELECT trace_id, count(*) AS size
    FROM spans
    WHERE trace_id IN (SELECT trace_id FROM selected)
    GROUP BY trace_id
)
SELECT trace_id, first_ns, last_ns,
    (sum(size) OVER (ORDER BY first_ns, trace_id) - 1) // $spans_max AS part
FROM selected JOIN sizes USING (trace_id);
