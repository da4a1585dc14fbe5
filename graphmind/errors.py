"""The errors graphmind raises.

GraphmindError
├── SettingsError   a setting is missing or wrong
├── SourceError     an input as a whole cannot be read (a broken record in it is only counted)
├── Overloaded      more came in than can be kept; come again later
├── StoreError      the archive or the graph does not answer, or refuses
│   └── StoreBusy   another process owns the data folder
├── QueryRefused    an analyst's Cypher is not read-only, or not allowed
├── NameTaken       something of that name exists already
└── UnknownName     no incident, question or trace of that name

A message says what was expected, what came, and what to do.
"""


class GraphmindError(Exception):
    """Base of every error a caller may want to catch."""


class SettingsError(GraphmindError):
    """A setting is missing or wrong."""


class SourceError(GraphmindError):
    """An input as a whole cannot be read."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        """When the source said it may be asked again."""


class Overloaded(GraphmindError):  # noqa: N818 - reads as the state it reports
    """The queue is full: nothing of this was taken."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StoreError(GraphmindError):
    """A store does not answer, or refuses."""


class StoreBusy(StoreError):  # noqa: N818 - reads as the state it reports
    """Another process owns the data folder."""


class QueryRefused(GraphmindError):  # noqa: N818 - reads as the decision it reports
    """An analyst's Cypher is not read-only, or uses something not allowed."""


class NameTaken(GraphmindError):  # noqa: N818 - reads as the finding it reports
    """Something of that name exists already."""


class UnknownName(GraphmindError):  # noqa: N818 - reads as the finding it reports
    """Nothing of that name exists."""
