DELETE FROM extents WHERE trace_id IN (FROM gained);
