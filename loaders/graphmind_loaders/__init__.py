"""Readers of trace and inventory files, found by entry point."""
