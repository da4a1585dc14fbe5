-- A trace that gained spans after they were read stays unsettled.
UPDATE live_extents SET settled = true
WHERE gained <= $as_of AND NOT settled AND trace_id IN (SELECT trace_id FROM given_traces);
