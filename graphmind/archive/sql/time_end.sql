-- When the traces of a time had ended: a constant that lets a scan skip what they cannot have touched.
SELECT max(start_ns + coalesce(duration_ns, 0))
FROM traces WHERE start_ns >= $since_ns AND start_ns < $until_ns;
