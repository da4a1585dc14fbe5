"""Spans become traces, symptoms and items. Pure: Arrow tables in, Arrow tables out."""
