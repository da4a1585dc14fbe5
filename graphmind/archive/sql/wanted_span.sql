-- When the wanted traces began, ended and began last: constants that let a scan skip.
SELECT min(start_ns), max(start_ns + coalesce(duration_ns, 0)), max(start_ns)
FROM traces WHERE trace_id IN (FROM wanted);
