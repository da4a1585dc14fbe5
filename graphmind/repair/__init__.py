"""The command an incident calls for."""
