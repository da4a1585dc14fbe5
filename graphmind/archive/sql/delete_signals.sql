DELETE FROM {table} WHERE time_ns < $before_ns;
