SELECT trace_id FROM live_extents WHERE NOT settled ORDER BY trace_id;
