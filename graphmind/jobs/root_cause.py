"""What the traces that somebody calls failing share, against the others of their time (S47)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.archive.port import Archive
from graphmind.jobs.analyze import dated, find_incidents, window_numbers, with_commands
from graphmind.jobs.references import known_references
from graphmind.jobs.where import locate
from graphmind.jobs.window import read_around
from graphmind.settings import Settings
from graphmind.telemetry.facts import SYMPTOMS, Facts

CHANNEL: Final = "error"
"""The one channel that all the given traces fail in, whatever their symptoms."""


@dataclass(frozen=True, kw_only=True)
class RootCause:
    """What the given traces share; every id given is in one finding, unexplained or unknown."""

    window: dict[str, Any]
    findings: list[dict[str, Any]]
    """Incident documents of the groups among them, strongest first; nothing of it is stored."""
    unexplained: list[str]
    """Given traces that no finding holds, sorted."""
    unknown: list[str]
    """Ids of which the archive has no facts, sorted."""


def root_cause(archive: Archive, settings: Settings, trace_ids: Iterable[str]) -> RootCause:
    """Explain exactly these traces as failing; every other trace of their time as not."""
    given = pa.array(sorted(set(trace_ids)), pa.string())
    facts = failing_exactly(read_around(archive, given, settings.window_traces), given)
    known = pc.is_in(given, value_set=facts.traces["trace_id"].combine_chunks())
    found = find_incidents(facts, settings)
    periods = known_references(archive)
    located = locate(archive, dated(archive, found.incidents), facts, periods)
    return RootCause(
        window=window_numbers(facts),
        findings=with_commands(located, facts),
        unexplained=found.unexplained,
        unknown=given.filter(pc.invert(known)).to_pylist(),
    )


def failing_exactly(facts: Facts, trace_ids: pa.Array) -> Facts:
    """Replace the symptoms: the given traces fail, in one channel, and no other does.

    They keep the symptoms they have, with their times; those without one failed when they ended.
    """
    shown = facts.symptoms.filter(
        pc.and_(
            pc.is_in(facts.symptoms["trace_id"], value_set=trace_ids),
            pc.is_valid(facts.symptoms["channel"]),
        )
    )
    shown = shown.set_column(
        SYMPTOMS.get_field_index("channel"), "channel", _repeated(CHANNEL, shown.num_rows)
    )
    silent = pc.and_(
        pc.is_in(facts.traces["trace_id"], value_set=trace_ids),
        pc.invert(pc.is_in(facts.traces["trace_id"], value_set=shown["trace_id"].combine_chunks())),
    )
    stated = _stated(facts.traces.filter(silent))
    return replace(facts, symptoms=pa.concat_tables([shown.cast(SYMPTOMS), stated]))


def _stated(traces: pa.Table) -> pa.Table:
    """Return a symptom of each trace at its end: somebody says that it failed, nothing says how."""
    count = traces.num_rows
    nothing = pa.nulls(count, pa.string())
    return pa.table(
        {
            "trace_id": traces["trace_id"],
            "kind": _repeated("error", count),
            "channel": _repeated(CHANNEL, count),
            "began_ns": pc.add(traces["start_ns"], traces["duration_ns"]),
            "span_id": traces["fault_span_id"],
            "module": traces["fault_module"],
            "code": nothing,
        },
        schema=SYMPTOMS,
    )


def _repeated(text: str, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(text, pa.string()), count)
