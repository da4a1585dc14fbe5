"""The library of past incidents: kept in the archive, filled by analyses, carried elsewhere."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO, Any, Final

import msgspec
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.archive.port import Archive, Selection
from graphmind.errors import SourceError
from graphmind.jobs.signals import patterns_of, texts_by_trace
from graphmind.matching.fingerprint import choose_traces, take_fingerprints
from graphmind.matching.library import Library
from graphmind.matching.record import Case, Entry, entry_of
from graphmind.matching.verdict import Verdict, recognise
from graphmind.telemetry.assembly import assemble

KIND: Final = "fingerprint"
"""The kind under which the archive keeps entries, each by its incident's id."""
FORMAT: Final = "graphmind-fingerprints"
VERSION: Final = 1
COMMAND_PARTS: Final = ("action", "level", "root_node", "only_where", "repair_path", "reasons")
"""What of a command another incident can learn from; the rest lists this one's traces."""

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import changed."""

    new: int
    replaced: int
    """Known from the same origin, with other content."""
    kept: int
    """Known already: with the same content, or from another origin."""


def open_library(archive: Archive) -> Library:
    """Index what the archive keeps; it does not follow what is remembered or imported later."""
    return Library.of(_entries(archive).values())


def remember(archive: Archive, incidents: Sequence[Document]) -> dict[str, Verdict]:
    """Store the fingerprints of an analysis' incidents; return the verdict on each by its id.

    Incidents none of whose traces the archive holds keep the entry they have. An entry taken of
    the same traces under an id that the archive no longer knows is removed.
    """
    kept = _entries(archive)
    taken = {entry.case.incident_id: entry for entry in take_entries(archive, incidents)}
    gone = _superseded(archive, kept, taken.keys(), incidents)
    library = Library.of(({k: e for k, e in kept.items() if k not in gone} | taken).values())
    traces = {incident["incident_id"]: incident["trace_ids"] for incident in incidents}
    verdicts = {name: recognise(library, taken[name], traces[name]) for name in sorted(taken)}
    documents = {
        name: _recognised(taken[name], verdict).document() for name, verdict in verdicts.items()
    }
    archive.replace_documents(KIND, documents, without=gone)
    return verdicts


def take_entries(archive: Archive, incidents: Sequence[Document]) -> list[Entry]:
    """Take the fingerprints of those incidents of whose traces the archive holds any."""
    ids = {trace for incident in incidents for trace in incident["trace_ids"]}
    starts = archive.starts(Selection(trace_ids=pa.array(sorted(ids), pa.string())))
    starts = starts.filter(pc.is_valid(starts["start_ns"]))
    chosen = [_chosen(starts, incident) for incident in incidents]
    present = [(incident, own) for incident, own in zip(incidents, chosen, strict=True) if own]
    if not present:
        return []
    used = sorted({trace for _, own in present for trace in own})
    healthy = {trace for incident, _ in present for trace in incident["survivors"]}
    beside = pa.array(sorted(healthy.union(used)), pa.string())
    facts = archive.facts(Selection(trace_ids=beside))
    failing = facts.traces.filter(pc.is_in(facts.traces["trace_id"], pa.array(used, pa.string())))
    prints = take_fingerprints(
        [incident for incident, _ in present],
        [own for _, own in present],
        assemble(archive.bare_spans(Selection(trace_ids=pa.array(used, pa.string())))),
        facts,
        texts_by_trace(patterns_of(archive.signals, failing)),
    )
    return [
        Entry(case=_case(incident, own), fingerprint=fingerprint)
        for (incident, own), fingerprint in zip(present, prints, strict=True)
    ]


def export_library(archive: Archive, target: IO[bytes], *, origin: str = "") -> int:
    """Write a header and a line of JSON an entry, in the order of ids; return how many entries.

    ``origin`` names this library in the own entries; imported ones keep the name they came with.
    """
    entries = _entries(archive).values()
    target.write(_line({"format": FORMAT, "version": VERSION, "entries": len(entries)}))
    for entry in entries:
        case = replace(entry.case, origin=entry.case.origin or origin)
        target.write(_line(replace(entry, case=case).document()))
    return len(entries)


def import_library(source: Iterable[bytes], archive: Archive) -> Imported:
    """Add the entries of an exported library, all or none; raises SourceError with the line.

    An entry replaces one of the same id from the same origin; one from elsewhere stays.
    """
    arriving = _read(source)
    known = _entries(archive)
    new = {name: entry for name, entry in arriving.items() if name not in known}
    replaced = {
        name: entry
        for name, entry in arriving.items()
        if name in known and entry != known[name] and entry.case.origin == known[name].case.origin
    }
    changed = {name: entry.document() for name, entry in (new | replaced).items()}
    archive.replace_documents(KIND, changed)
    return Imported(
        new=len(new), replaced=len(replaced), kept=len(arriving) - len(new) - len(replaced)
    )


def _entries(archive: Archive) -> dict[str, Entry]:
    return {name: entry_of(document) for name, document in archive.documents(KIND).items()}


def _chosen(starts: pa.Table, incident: Document) -> list[str]:
    own = pa.array(incident["trace_ids"], pa.string())
    return choose_traces(starts.filter(pc.is_in(starts["trace_id"], value_set=own)))


def _case(incident: Document, traces: Sequence[str]) -> Case:
    command = incident.get("command")
    return Case(
        incident_id=incident["incident_id"],
        title=incident["title"],
        symptom=incident["symptom"],
        root_cause=incident["causes"][0]["label"] if incident["causes"] else None,
        root_node=command["root_node"] if command else None,
        command=_shortened(command) if command else None,
        seen_ms=incident["onset_ms"],
        traces=tuple(traces),
    )


def _shortened(command: Document) -> dict[str, Any]:
    return {name: command[name] for name in COMMAND_PARTS if name in command}


def _superseded(
    archive: Archive, kept: Mapping[str, Entry], taken: Iterable[str], incidents: Sequence[Document]
) -> list[str]:
    """Return ids of own entries of the same traces whose incident the archive no longer knows."""
    known = {incident["incident_id"] for incident in archive.incidents()}.union(taken)
    traces = {trace for incident in incidents for trace in incident["trace_ids"]}
    return [
        name
        for name, entry in kept.items()
        if name not in known and not entry.case.origin and not traces.isdisjoint(entry.case.traces)
    ]


def _recognised(entry: Entry, verdict: Verdict) -> Entry:
    return replace(entry, case=replace(entry.case, recognised_as=verdict.recognised_as))


def _line(document: Document) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SORT_KEYS)


def _read(source: Iterable[bytes]) -> dict[str, Entry]:
    """Read all lines of an exported library; raises SourceError at the first that is wrong."""
    entries: dict[str, Entry] = {}
    lines = iter(source)
    expected = _expected(next(lines, b""))
    number = 1
    for number, line in enumerate(lines, 2):
        entry = _entry(line, number)
        name = entry.case.incident_id
        if name in entries:
            raise SourceError(f"line {number}: incident {name} stands in an earlier line too")
        entries[name] = entry
    if len(entries) != expected:
        raise SourceError(
            f"line {number}: the header promises {expected} entries, the file ends after "
            f"{len(entries)}. Export it again"
        )
    return entries


def _expected(header: bytes) -> int:
    """Return how many entries the header promises."""
    try:
        given = msgspec.json.decode(header, type=dict[str, str | int])
    except ValueError:
        given = {}
    if given.get("format") != FORMAT or given.get("version") != VERSION:
        raise SourceError(
            f'line 1: expected a header with "format": "{FORMAT}" and "version": {VERSION}, '
            f"got {header[:80].decode(errors='replace')!r}. Use `graphmind library export`"
        )
    match given.get("entries"):
        case int(count):
            return count
        case other:
            raise SourceError(f'line 1: expected "entries" to be a number, got {other!r}')


def _entry(line: bytes, number: int) -> Entry:
    try:
        return entry_of(msgspec.json.decode(line))
    except ValueError as error:
        raise SourceError(f"line {number}: {error}. Nothing was imported") from error
