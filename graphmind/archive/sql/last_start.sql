SELECT max(start_ns) FROM traces WHERE $before_ns::BIGINT IS NULL OR start_ns < $before_ns;
