SELECT task, root_name, start_ns FROM traces WHERE trace_id = $trace_id;
