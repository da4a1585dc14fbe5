-- What is new, each once.
INSERT INTO lines BY NAME
SELECT * EXCLUDE (place)
FROM arriving
WHERE line_id NOT IN (FROM known_lines)
QUALIFY row_number() OVER (PARTITION BY line_id ORDER BY place) = 1;
