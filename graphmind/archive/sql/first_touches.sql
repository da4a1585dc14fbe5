-- When anything was first seen to touch each item wanted.
SELECT kind, name, min(first_ns) AS first_ns
FROM items JOIN wanted_items USING (kind, name)
GROUP BY ALL
ORDER BY ALL;
