"""The Runtime Controller: the scheduler's HTTP API over agents and traces."""
