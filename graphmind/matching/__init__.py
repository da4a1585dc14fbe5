"""Recognises an incident: its fingerprint, and which past incident it looks like."""
