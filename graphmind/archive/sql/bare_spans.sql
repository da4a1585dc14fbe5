-- What traces are assembled from: the attributes are half of the bytes, and sorting half of the time.
SELECT * EXCLUDE (load, attribute_keys, attribute_values)
FROM spans
WHERE trace_id IN (SELECT trace_id FROM selected WHERE part = $part)
    AND (start_ns BETWEEN $first_ns AND $last_ns OR start_ns IS NULL);
