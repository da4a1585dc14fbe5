"""Findings become incidents with a stable id, a title, a place, an onset and evidence."""
