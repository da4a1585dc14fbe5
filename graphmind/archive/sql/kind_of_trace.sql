SELECT task, root_name, start_ns
FROM traces WHERE trace_id = $trace_id AND start_ns >= $since_ns AND start_ns < $until_ns;
