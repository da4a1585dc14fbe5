-- The traces given that have facts already.
CREATE TEMP TABLE known AS SELECT trace_id FROM traces WHERE trace_id IN (SELECT trace_id FROM given_traces);
