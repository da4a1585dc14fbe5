DELETE FROM live_extents WHERE trace_id IN (SELECT trace_id FROM leaving);
