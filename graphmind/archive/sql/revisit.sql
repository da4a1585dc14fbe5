-- The touched traces that have been seen before and may still gain.
CREATE TEMP TABLE revisited AS
SELECT trace_id, first_ns, last_ns
FROM live_extents
WHERE trace_id IN (SELECT trace_id FROM touched);
