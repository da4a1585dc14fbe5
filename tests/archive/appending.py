"""A process to be killed: appends spans and facts for ever, and prints what was acknowledged.

``python -m tests.archive.appending FOLDER FIRST append|add``; what is added opens the file anew
after every third batch.
"""

import hashlib
import itertools
import sys
from pathlib import Path

import pyarrow as pa

from graphmind.archive.duck import DuckArchive
from graphmind.telemetry.facts import Facts
from tests.archive.rows import facts, resolved, span

SPANS = 1_000
APPENDS_PER_TRACE = 3


def batch(number: int) -> pa.RecordBatch:
    """The spans of one append: part of a trace, hard to compress so that files grow."""
    names = (hashlib.sha512(b"%d.%d" % (number, n)).hexdigest() * 4 for n in range(SPANS))
    trace_id = f"trace-{number // APPENDS_PER_TRACE:06}"
    return resolved(
        *(span(trace_id, f"{number}.{n}", number, name=name) for n, name in enumerate(names))
    )


def derived(number: int) -> Facts:
    """Facts of that trace, as of this append: as many items as appends it had."""
    trace = f"trace-{number // APPENDS_PER_TRACE:06}"
    had = number % APPENDS_PER_TRACE + 1
    return facts((trace, number), items=[(trace, "tool", f"tool-{n}") for n in range(had)])


def main() -> None:
    folder, first, way = sys.argv[1:]
    with DuckArchive(Path(folder), reopened_every=3 * SPANS) as archive:
        for number in itertools.count(int(first)):
            if way == "add":
                archive.add(batch(number), at_ms=number)
            else:
                archive.append([batch(number)])
            print("spans", number, flush=True)  # noqa: T201 - what the test reads
            archive.store_facts(derived(number))
            print("facts", number, flush=True)  # noqa: T201 - what the test reads


if __name__ == "__main__":
    main()
