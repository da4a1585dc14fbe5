"""A process that pulls a Zipkin into an archive until it has caught up: ``FOLDER URL NOW_NS``."""

import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from graphmind_loaders.pull.zipkin import open_source

from graphmind.archive.duck import DuckArchive
from graphmind.graph.schema import Node
from graphmind.jobs.load import store_spans
from graphmind.serving.cursors import ArchiveCursors
from graphmind.serving.intake import Intake
from graphmind.serving.pull import Puller
from graphmind.sources import SourceConfig
from graphmind.telemetry.resolver_table import default_table

SINCE_S = 7200.0


def pull(folder: Path, url: str, now_ns: int) -> None:
    """Work the gap off piece by piece, and say so after each."""
    config = SourceConfig(
        kind="zipkin", name="z", url=url, options={"since_s": SINCE_S, "limit": 100}
    )
    with DuckArchive(folder) as archive:

        def store(signal, batches):
            assert signal == "spans"
            now_ms = time.time_ns() // 10**6
            store_spans(batches, archive, table=default_table(), now_ms=now_ms)

        intake = Intake(store, rows_max=200)
        intake.start()
        cursors = ArchiveCursors(archive)
        source = open_source(config)
        with closing(Puller(source, intake, cursors, store_nodes=no_nodes)) as puller:
            report = None
            while report is None or report.window.until_ns < now_ns:
                report = puller.pull_once(now_ns)
                assert not report.error, report.error
                sys.stdout.write(f"{report.window.until_ns}\n")
                sys.stdout.flush()
        intake.close()


def no_nodes(nodes: Sequence[Node]) -> None:
    assert not nodes


if __name__ == "__main__":
    pull(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
