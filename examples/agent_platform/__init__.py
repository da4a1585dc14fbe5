"""A platform of AI agents that runs, breaks and is healed on one machine."""
