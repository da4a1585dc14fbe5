"""A process to be killed: appends lines for ever, and prints which appends were acknowledged.

``python -m tests.archive.appending_lines FOLDER FIRST``
"""

import itertools
import sys
from pathlib import Path

import pyarrow as pa

from graphmind.archive.duck import DuckArchive
from tests.contracts.signals import line, lines

LINES_EACH = 500


def lines_of(number: int) -> pa.RecordBatch:
    """The lines of one append."""
    return lines(*(line(f"{number}.{n}", number, trace_id=f"t{n}") for n in range(LINES_EACH)))


def main() -> None:
    with DuckArchive(Path(sys.argv[1])) as archive:
        for number in itertools.count(int(sys.argv[2])):
            archive.signals.append_lines([lines_of(number)])
            print(number, flush=True)  # noqa: T201 - what the test reads


if __name__ == "__main__":
    main()
