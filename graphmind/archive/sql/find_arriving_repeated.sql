-- Rows that lose against another row of the same span: one that ended wins, then the one that came first.
-- What arrives is looked at before it is stored: rows deleted in the transaction that stored them
-- cost the way straight into the file.
CREATE TEMP TABLE repeated AS
WITH near AS NOT MATERIALIZED (
    SELECT place, true AS arrives, trace_id, span_id, end_ns FROM arriving
    UNION ALL
    SELECT rowid, false, trace_id, span_id, end_ns
    FROM spans
    WHERE (start_ns BETWEEN $first_ns AND $last_ns OR start_ns IS NULL)
        AND trace_id IN (SELECT trace_id FROM revisited)
),
several AS (
    SELECT trace_id, span_id FROM near GROUP BY ALL HAVING count(*) > 1
)
SELECT place, arrives
FROM near SEMI JOIN several USING (trace_id, span_id)
QUALIFY row_number() OVER (
    PARTITION BY trace_id, span_id ORDER BY end_ns IS NULL, arrives, place
) > 1;
