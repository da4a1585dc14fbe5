SELECT min(start_ns) FROM traces;
