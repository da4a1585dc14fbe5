SELECT trace_id, first_ns AS start_ns FROM selected ORDER BY trace_id;
