"""The routes: parse, call one job, map the result."""
