-- Rows that lose against another row of the same span: one that ended wins, then the one that came first.
-- Two scans of two columns are cheaper than keeping the rows of a large load between them.
CREATE TEMP TABLE repeated AS
WITH near AS NOT MATERIALIZED (
    SELECT rowid AS place, trace_id, span_id, end_ns FROM spans WHERE load = $load
    UNION ALL
    SELECT rowid, trace_id, span_id, end_ns
    FROM spans
    WHERE load < $load
        AND (start_ns BETWEEN $first_ns AND $last_ns OR start_ns IS NULL)
        AND trace_id IN (SELECT trace_id FROM revisited)
),
several AS (
    SELECT trace_id, span_id FROM near GROUP BY ALL HAVING count(*) > 1
)
SELECT place
FROM near SEMI JOIN several USING (trace_id, span_id)
QUALIFY row_number() OVER (PARTITION BY trace_id, span_id ORDER BY end_ns IS NULL, place) > 1;
