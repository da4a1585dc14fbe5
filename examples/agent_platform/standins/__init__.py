"""Python stand-ins for servers that are not installed."""
