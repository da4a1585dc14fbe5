SELECT trace_id FROM live_extents WHERE open_ns < $before_ns ORDER BY trace_id;
