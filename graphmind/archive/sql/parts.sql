-- Each part and when its spans start: constants that let a scan skip.
SELECT part, min(first_ns), max(last_ns) FROM selected GROUP BY part ORDER BY part;
