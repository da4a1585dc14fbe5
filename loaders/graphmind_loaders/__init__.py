"""Readers of trace and inventory files, found by entry point."""

from graphmind_loaders.files import read_spans, sources
from graphmind_loaders.inventory import inventory_sources, read_inventory

__all__ = ["inventory_sources", "read_inventory", "read_spans", "sources"]
