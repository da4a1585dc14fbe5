-- What this graphmind writes.
INSERT INTO layout VALUES ($version);
