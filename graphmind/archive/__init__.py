"""Every span and derived fact in columns: the port, and DuckDB behind it."""
