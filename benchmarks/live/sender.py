"""Sends OTLP over HTTP to a server, paced or as fast as it answers."""
