"""How graphmind is deployed, and the dashboards that watch it."""
