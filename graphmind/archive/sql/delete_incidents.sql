-- Those of the same run, and those it found again.
DELETE FROM incidents WHERE run_id = $run_id OR incident_id IN (SELECT incident_id FROM given_incidents);
