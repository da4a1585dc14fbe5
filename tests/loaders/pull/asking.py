"""Opening sources against a server of the test's own, and reading what they bring."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pyarrow as pa

from graphmind.sources import PullSource, PullWindow, SourceConfig
from graphmind.telemetry.rejections import Rejections
from tests.loaders.pull.serving import Answer, Asked, Serving, serving

REPLIES = Path(__file__).parents[4] / "shared" / "data" / "server-replies"
"""Replies recorded from real servers; tests that need them skip where they are not there."""

SECOND_NS = 10**9
START_NS = 1_795_000_000 * SECOND_NS


def window(from_s: float = 0, until_s: float = 60) -> PullWindow:
    """A window in seconds after START_NS."""
    return PullWindow(
        from_ns=START_NS + int(from_s * SECOND_NS), until_ns=START_NS + int(until_s * SECOND_NS)
    )


@contextmanager
def opened(
    open_source: Callable[[SourceConfig], PullSource],
    answer: Callable[[Asked], Answer],
    **options: object,
) -> Iterator[tuple[PullSource, Serving]]:
    """A source on a server that answers so."""
    with serving(answer) as server:
        config = SourceConfig(
            kind="test", name="t", url=server.url, timeout_s=5, token="tok", options=options
        )
        with closing(open_source(config)) as source:
            yield source, server


def rows(source: PullSource, asked: PullWindow, rejected: Rejections | None = None) -> list[dict]:
    """All rows of one pull."""
    counted = Rejections() if rejected is None else rejected
    batches = [batch for batch in source.pull(asked, counted) if isinstance(batch, pa.RecordBatch)]
    return [row for batch in batches for row in batch.to_pylist()]
