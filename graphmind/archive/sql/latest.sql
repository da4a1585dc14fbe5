-- The number of the last append that added spans.
SELECT coalesce(max(gained), 0) FROM extents;
