-- The kinds of symptom that each trace of a page shows, sorted.
SELECT trace_id, list_sort(list(DISTINCT kind)) AS symptoms
FROM symptoms
WHERE channel IS NOT NULL
    AND (began_ns IS NULL OR began_ns >= $first_ns AND began_ns <= $last_ns)
    AND trace_id IN (SELECT trace_id FROM page)
GROUP BY trace_id;
