DELETE FROM {table} WHERE trace_id IN (FROM gained);
