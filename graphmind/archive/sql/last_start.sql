SELECT max(start_ns) FROM traces WHERE {conditions};
