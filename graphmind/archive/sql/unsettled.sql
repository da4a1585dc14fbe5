SELECT trace_id FROM extents WHERE NOT settled ORDER BY trace_id;
