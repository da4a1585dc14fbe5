"""Cases out of the archive: of an incident, those confirmed, and the confirming of one."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa

from graphmind.archive.port import Archive, Selection
from graphmind.classification.case import Case, case_from, in_order
from graphmind.classification.extraction import case_of
from graphmind.classification.rules_file import LABEL
from graphmind.errors import SettingsError
from graphmind.telemetry.assembly import assemble

CASE: Final = "case"
"""Kind of the documents that confirmed cases are archived as, by incident."""
TRACES_MAX: Final = 16
"""Failing traces read of an incident (chosen): more look alike, and each may have many spans."""


def confirm_case(
    archive: Archive, incident_id: str, label: str, by: str, now_ms: int
) -> dict[str, Any]:
    """Archive an incident as a case of a class; a later word on the same incident replaces it.

    ``by`` is the person or the measured repair that confirms it. What is needed to learn from the
    case is archived with it, so it outlives its traces. Returns the document. Raises UnknownName
    where there is no such incident, SettingsError for a label that no rule could state.
    """
    if not LABEL.fullmatch(label):
        raise SettingsError(
            f"a label is lower case letters, digits and _, such as model_hang; got {label!r}"
        )
    case = case_in(archive, archive.incident(incident_id)).labelled(label)
    document = case.document() | {"by": by, "at_ms": now_ms}
    archive.replace_documents(CASE, {incident_id: document})
    return document


def confirmed_cases(archive: Archive) -> tuple[Case, ...]:
    """Return the cases archived, by what they say."""
    return in_order(map(case_from, archive.documents(CASE).values()))


def case_in(archive: Archive, incident: Mapping[str, Any]) -> Case:
    """Return the case of an incident, from as many of its traces as the archive still holds."""
    failing = Selection(trace_ids=_spread(archive, incident["trace_ids"]))
    survivors = pa.array(sorted(incident["survivors"]), pa.string())
    return case_of(
        incident,
        assemble(archive.bare_spans(failing)),
        archive.facts(failing),
        archive.queries.traces(survivors),
    )


def _spread(archive: Archive, trace_ids: list[str]) -> pa.Array:
    """Choose some of the traces, spread evenly over the order in which they began."""
    starts = archive.starts(Selection(trace_ids=pa.array(sorted(trace_ids), pa.string())))
    ordered = starts.sort_by([("start_ns", "ascending"), ("trace_id", "ascending")])["trace_id"]
    count = min(len(ordered), TRACES_MAX)
    rows = np.linspace(0, max(len(ordered) - 1, 0), count).astype(np.int64)
    return ordered.combine_chunks().take(pa.array(rows))
