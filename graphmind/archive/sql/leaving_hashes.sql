SELECT hash(trace_id) FROM leaving;
