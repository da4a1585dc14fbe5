-- One page of the traces that a filter wants.
FROM traces WHERE {conditions}
ORDER BY start_ns {order}, trace_id
LIMIT $limit;
