-- Constants that let the scans of items and symptoms skip what lies outside.
SELECT min(start_ns), max(start_ns + coalesce(duration_ns, 0)) FROM page;
