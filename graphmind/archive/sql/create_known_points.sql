-- Points that arrive and are stored already.
CREATE TEMP TABLE known_points (name VARCHAR, labels VARCHAR, time_ns BIGINT, exemplar VARCHAR);
