-- When the spans of the touched traces start, stored ones included: constants that let a scan skip.
SELECT min(first_ns), max(last_ns)
FROM (
    FROM touched
    UNION ALL
    SELECT trace_id, first_ns, last_ns FROM extents WHERE trace_id IN (SELECT trace_id FROM touched)
);
