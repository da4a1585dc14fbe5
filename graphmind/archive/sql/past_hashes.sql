SELECT hash(trace_id) FROM past_extents;
