"""What dashboards draw: flat rows over a stretch of time, one module a dashboard."""
