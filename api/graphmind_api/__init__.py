"""The HTTP API: parse, call one job, map the result."""
