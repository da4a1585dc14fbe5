-- What graphmind keeps besides facts and incidents: one JSON document for each (kind, id).
CREATE TABLE documents (kind VARCHAR NOT NULL, id VARCHAR NOT NULL, document JSON NOT NULL, PRIMARY KEY (kind, id));
