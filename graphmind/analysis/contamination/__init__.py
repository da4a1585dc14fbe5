"""How a bad value spreads over shared keys: where it began, how far it came, what is at risk."""
