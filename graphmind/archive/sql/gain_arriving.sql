-- Traces with a span more, or one that has ended since.
CREATE TEMP TABLE gained AS SELECT DISTINCT trace_id FROM arriving;
