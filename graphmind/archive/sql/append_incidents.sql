INSERT INTO incidents SELECT incident_id, $run_id, document FROM given_incidents;
