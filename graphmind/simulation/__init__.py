"""Planted incidents: an agent platform simulated from one seed, with its truth."""
