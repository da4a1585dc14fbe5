"""From an incident to a repair that is planned, approved, run, measured and undone."""
