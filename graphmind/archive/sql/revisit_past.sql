-- ... and those that nobody expected to gain.
INSERT INTO revisited
SELECT trace_id, first_ns, last_ns
FROM past_extents
WHERE trace_id IN (SELECT trace_id FROM touched);
