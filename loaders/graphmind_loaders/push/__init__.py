"""Sources that push: they listen, and hand what comes to a sink."""
