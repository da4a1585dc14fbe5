-- One page of the traces that a filter wants.
CREATE TEMP TABLE page AS
FROM traces WHERE {conditions}
ORDER BY start_ns {order}, trace_id
LIMIT $limit;
