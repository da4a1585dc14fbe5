"""graphmind: finds the shared cause behind many failing traces, and proposes the repair."""

__version__ = "0.1.0"
