-- Shares of the traces that began since, as their weights estimate them.
SELECT
    coalesce(sum(weight) FILTER (fallback_applied), 0) / sum(weight),
    coalesce(sum(weight) FILTER (recovered), 0) / sum(weight)
FROM traces WHERE start_ns >= $since_ns;
