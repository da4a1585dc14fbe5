SELECT outcome, complete, sum(weight)
FROM traces GROUP BY outcome, complete ORDER BY outcome, complete;
