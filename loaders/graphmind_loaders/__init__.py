"""Readers of trace and inventory files, found by entry point."""

from graphmind_loaders.files import read_spans, sources

__all__ = ["read_spans", "sources"]
