-- Incidents as the analysis run that found them wrote them.
CREATE TABLE incidents (incident_id VARCHAR NOT NULL, run_id VARCHAR NOT NULL, document JSON NOT NULL);
