-- As they come; repeated spans are removed before the transaction ends.
INSERT INTO spans BY NAME SELECT *, $load::BIGINT AS load FROM arriving;
