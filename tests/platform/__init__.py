"""The reference platform of examples/agent_platform."""
