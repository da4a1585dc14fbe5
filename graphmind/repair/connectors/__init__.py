"""Connectors: one real system each, found by entry point; see README.md."""
