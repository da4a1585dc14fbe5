-- Every column of every table, to compare with those this graphmind writes.
SELECT table_name || '.' || column_name || ' ' || data_type
FROM duckdb_columns()
WHERE NOT internal AND database_name = current_database();
