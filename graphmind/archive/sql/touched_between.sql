-- When the spans of the touched traces start, stored ones included: constants that let a scan skip.
SELECT min(first_ns), max(last_ns)
FROM (
    FROM touched
    UNION ALL
    FROM revisited
);
