-- Traces of which every span began before; those that state no time go by when they came.
CREATE TEMP TABLE old AS
SELECT trace_id FROM extents WHERE coalesce(last_ns, gained_ms * 1000000) < $before_ns;
