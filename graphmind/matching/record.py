"""What the library keeps of an incident: its fingerprint, and what was found and done about it."""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec

from graphmind.matching.signatures import metric_words

HEAVY_CODE: Final = 0.2
"""Share of the traces from which an error code is part of the hash: as of a token (chosen)."""

Weight = Annotated[float, msgspec.Meta(gt=0, le=1e6)]
Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
Text = Annotated[str, msgspec.Meta(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class Signature:
    """The record of S10: what an operator compares at a glance."""

    structure_fingerprint: Text
    """Hash of the failing spans with their surroundings that most of its traces show."""
    metric_signature: dict[str, int]
    """Metrics that stand out, each with its power of two."""
    log_signature: tuple[str, ...]
    """Keywords of its messages and error codes, most frequent first."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metric signature in words."""
        return metric_words(self.metric_signature)


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """How an incident looks, without ids, times, versions and numbers."""

    structure: dict[str, Weight]
    """Tokens of its span trees with their mean weight in its traces, sorted."""
    error_codes: dict[str, Share]
    """Share of its traces by error code; those without one by their symptom in brackets."""
    cause_class: Text | None
    """Kind and family of what caused it; None where no cause was named."""
    failing_path: str
    """Operations from the root to where it goes wrong, joined by `` > ``; may be empty."""
    signature: Signature

    @property
    def hash(self) -> str:
        """Hash of the structure with the frequent error codes and the class of the cause."""
        codes = sorted(code for code, share in self.error_codes.items() if share >= HEAVY_CODE)
        return digest(self.signature.structure_fingerprint, *codes, self.cause_class or "")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A past incident: what caused it, what was proposed, when it was seen."""

    incident_id: Text
    title: str
    symptom: str
    root_cause: str | None
    """Its first cause in words; None where none was named."""
    root_node: str | None
    """``kind:name`` of what the command acts on; None where there is no command."""
    command: dict[str, Any] | None
    """The command proposed, without the traces it was for."""
    seen_ms: int
    """When it began, epoch ms."""
    traces: tuple[str, ...] = ()
    """The traces of which the fingerprint was taken."""
    recognised_as: str | None = None
    """Id of the past incident that it was recognised as."""
    origin: str = ""
    """The library it was imported from; empty for the own incidents."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of the library."""

    case: Case
    fingerprint: Fingerprint

    def document(self) -> dict[str, Any]:
        """Return the entry as JSON-ready names and values."""
        document: dict[str, Any] = msgspec.to_builtins(self)
        return document


def entry_of(document: Any) -> Entry:
    """Read an entry; raises ValueError that says what was expected where, and what came."""
    return msgspec.convert(document, Entry)


def digest(*texts: str) -> str:
    """Hash some texts into 16 hexadecimal digits."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
