-- The traces that ran a task: as a span states it, as the facts have it, or as a line does.
SELECT DISTINCT trace_id
FROM (
    SELECT trace_id FROM spans WHERE task_id = $task_id
    UNION ALL
    SELECT trace_id FROM traces WHERE unit = $task_id
    UNION ALL
    SELECT trace_id FROM lines WHERE task_id = $task_id AND trace_id IS NOT NULL
)
ORDER BY trace_id;
