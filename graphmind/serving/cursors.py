"""Up to when each source was read, kept where the telemetry is kept."""

from typing import Final, Protocol

from graphmind.archive.port import Archive

CURSOR: Final = "cursor"
"""Kind of the archive's documents, one a source."""


class Cursors(Protocol):
    """Keeps durably up to when each source was read."""

    def load(self, name: str) -> int | None:
        """Return the cursor of a source, ns; None before its first pull."""

    def save(self, name: str, until_ns: int) -> None:
        """Move the cursor; durable when this returns."""


class ArchiveCursors:
    """Cursors as documents of the archive."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def load(self, name: str) -> int | None:
        """Return the cursor of a source, ns."""
        document = self._archive.documents(CURSOR).get(name)
        return None if document is None else int(document["until_ns"])

    def save(self, name: str, until_ns: int) -> None:
        """Move the cursor."""
        self._archive.replace_documents(CURSOR, {name: {"until_ns": until_ns}})
