INSERT INTO spans BY NAME SELECT * EXCLUDE (place), $load::BIGINT AS load FROM arriving;
