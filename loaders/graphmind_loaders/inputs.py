"""The files a load reads: named, found in folders or by patterns, opened and decompressed."""

import glob
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from graphmind.errors import SourceError
from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.compression import Chunks, chunks_of

STDIN = "-"
HEAD_BYTES = 65_536  # as much of a file as its kind is told by

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

OnFile = Callable[[str, int, int], None]
"""Called before each file with its name, its number from 1, and how many there are."""


class Source(Protocol[T_co]):
    """A kind of file: recognised by its first bytes, read as a stream."""

    @property
    def name(self) -> str:
        """Short and stable."""

    def recognises(self, head: bytes) -> bool:
        """Whether the first bytes are of this kind."""

    def read(self, stream: BinaryIO, rejected: Rejections) -> Iterator[T_co]:
        """Yield what the stream holds."""


@dataclass(frozen=True, kw_only=True)
class Input:
    """One file to read; ``named`` if it was asked for by its own name."""

    name: str
    named: bool


def find(paths: Sequence[str | Path]) -> list[Input]:
    """Return the files that paths, folders and patterns stand for, each once.

    The order is that of ``paths``, and by name within a folder or pattern. Hidden files of a
    folder are left out. Raises SourceError for a path or pattern that matches no file.
    """
    found = [item for path in paths for item in _expand(str(path))]
    return list({item.name: item for item in reversed(found)}.values())[::-1]


def _expand(path: str) -> list[Input]:
    if path == STDIN or Path(path).is_file():
        return [Input(name=path, named=True)]
    if Path(path).is_dir():
        found = _files_below(Path(path))
    elif Path(path).exists():  # a pipe or a device
        return [Input(name=path, named=True)]
    elif glob.has_magic(path):
        # Path.glob takes no absolute pattern.
        matches = map(Path, sorted(glob.glob(path, recursive=True)))  # noqa: PTH207
        found = [file for match in matches for file in _files_below(match)]
    else:
        raise SourceError(
            f"{path}: expected a file, folder, pattern or - (standard input), "
            "found nothing there; check the spelling"
        )
    if not found:
        raise SourceError(f"{path}: expected files there, found none")
    return [Input(name=str(file), named=False) for file in found]


def _files_below(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )


def load_sources(group: str) -> tuple[Source[T], ...]:
    """Return the sources that installed packages register in an entry-point group, by name."""
    found = sorted(entry_points(group=group), key=lambda entry: entry.name)
    return tuple(entry.load() for entry in found)


def read_all(
    inputs: Sequence[Input],
    sources: Sequence[Source[T]],
    rejected: Rejections,
    *,
    stdin: BinaryIO | None = None,
    on_file: OnFile | None = None,
) -> Iterator[T]:
    """Yield what the source that recognises each file reads from it.

    A file that cannot be used is counted, unless it is the only one and was named: then
    SourceError says why.
    """
    for number, item in enumerate(inputs, start=1):
        if on_file:
            on_file(item.name, number, len(inputs))
        try:
            yield from _read_one(item, sources, rejected, stdin)
        except SourceError as error:
            if item.named and len(inputs) == 1:
                raise SourceError(f"{item.name}: {error}. {_accepted(sources)}") from error
            rejected.add(str(error), item.name)


def _accepted(sources: Sequence[Source[T]]) -> str:
    names = ", ".join(source.name for source in sources)
    return f"Accepted are {names}; each also as .gz or .zst"


def _read_one(
    item: Input, sources: Sequence[Source[T]], rejected: Rejections, stdin: BinaryIO | None
) -> Iterator[T]:
    def broken(reason: str) -> None:
        rejected.add(reason, item.name)

    try:
        with _opened(item.name, stdin) as raw:
            head, stream = _with_head(chunks_of(raw, broken))
            yield from _recognise(head, sources).read(stream, rejected)
    except OSError as error:
        raise SourceError(f"file cannot be read ({error.strerror or error})") from error


@contextmanager
def _opened(name: str, stdin: BinaryIO | None) -> Iterator[BinaryIO]:
    if name == STDIN:
        yield stdin or sys.stdin.buffer
        return
    with Path(name).open("rb") as stream:
        yield stream


def _with_head(chunks: Iterator[bytes]) -> tuple[bytes, BinaryIO]:
    """Return the first bytes, and a stream over all of them."""
    first: list[bytes] = []
    size = 0
    while size < HEAD_BYTES and (chunk := next(chunks, b"")):
        first.append(chunk)
        size += len(chunk)
    stream = io.BufferedReader(Chunks(chain(first, chunks)), buffer_size=2**20)
    return b"".join(first)[:HEAD_BYTES], stream


_UTF16 = (b"\xff\xfe", b"\xfe\xff", b"{\0", b"[\0", b"\0{", b"\0[")


def _recognise(head: bytes, sources: Sequence[Source[T]]) -> Source[T]:
    if not head.strip():
        raise SourceError("empty file")
    if head.startswith(_UTF16):
        raise SourceError("UTF-16 text; save it as UTF-8")
    for source in sources:
        if source.recognises(head):
            return source
    raise SourceError("file of an unknown kind")
