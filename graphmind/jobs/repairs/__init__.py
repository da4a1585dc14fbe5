"""Repairs as people and the service ask for them: planned, approved, run, verified, undone."""
