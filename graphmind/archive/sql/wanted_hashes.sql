SELECT hash(trace_id) FROM wanted;
