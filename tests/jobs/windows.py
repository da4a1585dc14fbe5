"""Spans of small windows, loaded the way the jobs load them."""

from collections.abc import Iterable

from graphmind.archive.port import Archive
from graphmind.jobs.load import Loaded, load
from graphmind.settings import Settings
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolver_table import default_table
from graphmind.telemetry.spans import spans_from_rows
from tests.builders import Row, at

HOUR_MS = 3_600_000


def loaded(archive: Archive, *batches: Iterable[Row], rejected: Rejections | None = None) -> Loaded:
    """Load batches of rows at a time when the first week of the builders is over."""
    return load(
        (spans_from_rows(list(rows)) for rows in batches),
        archive,
        Settings(),
        table=default_table(),
        rejected=rejected or Rejections(),
        now_ns=at(7 * 24 * HOUR_MS),
    )
