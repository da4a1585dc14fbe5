SELECT hash(trace_id) FROM touched;
