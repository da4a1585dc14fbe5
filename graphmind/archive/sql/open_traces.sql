SELECT trace_id FROM extents WHERE open_ns < $before_ns ORDER BY trace_id;
