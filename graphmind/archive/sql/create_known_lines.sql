-- Lines that arrive and are stored already.
CREATE TEMP TABLE known_lines (line_id VARCHAR);
