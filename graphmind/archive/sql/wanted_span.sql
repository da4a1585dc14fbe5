-- When the wanted traces of a time began, ended and began last: constants that let a scan skip; and
-- how many they are.
SELECT min(start_ns), max(start_ns + coalesce(duration_ns, 0)), max(start_ns), count(*)
FROM traces
WHERE start_ns >= $since_ns AND start_ns < $until_ns AND trace_id IN (FROM wanted);
