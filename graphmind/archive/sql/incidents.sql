SELECT document
FROM incidents
WHERE $incident_id::VARCHAR IS NULL OR incident_id = $incident_id
ORDER BY incident_id;
