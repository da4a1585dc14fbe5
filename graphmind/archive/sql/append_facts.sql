INSERT INTO {table} BY NAME FROM given_{table};
