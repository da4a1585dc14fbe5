"""Sets up OpenTelemetry in one call so that graphmind sees agents, keys and hangs."""
