-- Settled traces that have gained nothing for a while: nothing more is expected of them.
CREATE TEMP TABLE leaving AS
FROM live_extents
WHERE settled AND open_ns IS NULL AND gained_ms <= $quiet_since_ms;
