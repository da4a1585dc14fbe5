"""What people and programs read of incidents, traces and the fleet."""
