"""Alerts: when failures of one fingerprint pile up, and who is told."""
