-- When the wanted traces ran: constants that let a scan skip.
SELECT min(start_ns), max(start_ns + coalesce(duration_ns, 0))
FROM traces WHERE trace_id IN (FROM wanted);
