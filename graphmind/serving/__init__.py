"""The service: named loops over the stores, and the queue that telemetry comes in by."""
