"""The live analysis: what fails together in the time just past, beside what is known already.

It does what ``analyze`` does to a window that moves on. An incident stays when the window no longer
shows it: its life cycle says what became of it. What costs reading spans (where it sits, what it
resembles) is worked out when an incident is new, and again when it has grown by half.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.archive.port import Archive, Selection
from graphmind.incidents.identity import keep_identities
from graphmind.incidents.incident import Incident
from graphmind.incidents.lifecycle import CLOSED, Recent, advance, vanished
from graphmind.jobs.analyze import KEPT_AS, dated, find_incidents, window_numbers, with_commands
from graphmind.jobs.references import refresh_references
from graphmind.jobs.seen import with_resemblance
from graphmind.jobs.where import locate
from graphmind.jobs.window import read_newest
from graphmind.settings import Settings
from graphmind.telemetry.facts import Facts

MS_NS: Final = 1_000_000
MINUTE_MS: Final = 60_000
GROWN: Final = 1.5
"""Growth at which an incident is looked at anew (chosen)."""
UNEXPLAINED_S: Final = 60
UNEXPLAINED_MIN: Final = 20
"""A group without a cause is an incident once it lasts that long and has so many traces (chosen): a
live window is looked at a thousand times, and each look is a chance to see a burst."""
WORKED_OUT: Final = ("where", "changes", "seen", "looked_at_traces")
"""Parts of a document that are carried over until then."""
MARKED: Final = ("eligible_for_repair", "alerted_ms", "alert_fingerprint")
"""Parts that other jobs write."""

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What one live analysis found."""

    facts: Facts
    incidents: list[Document]
    """All that are not closed, and those closed by this run."""
    opened: tuple[str, ...]
    """Ids that were not known, or were closed."""
    closed: tuple[str, ...]
    changed: tuple[Document, ...]
    """Those whose document differs from what was stored."""
    traces: int
    failing: int


def watch(archive: Archive, settings: Settings, *, now_ms: int) -> Watched:
    """Analyse the live window that ends now, and store what became of each incident."""
    from_ns = (now_ms - round(settings.live_window_s * 1000)) * MS_NS
    facts = read_newest(archive, Selection(from_ns=from_ns), settings.live_traces)
    known = {str(one["incident_id"]): one for one in archive.incidents()}
    found = find_incidents(facts, settings).incidents if facts.traces.num_rows else []
    lasting = [incident for incident in found if incident.causes or _lasts(incident, facts)]
    kept = keep_identities(lasting, list(known.values()))
    current = _alive(kept, facts, known, now_ms)
    _save(archive, known, current)
    looked = _looked_at(archive, kept, facts, current)
    if looked:
        current |= looked
        _save(archive, known, current)
    return _watched(facts, known, current)


def _lasts(incident: Incident, facts: Facts) -> bool:
    """Whether failures that share no cause go on for long enough to be more than a chance burst."""
    if len(incident.trace_ids) < UNEXPLAINED_MIN:
        return False
    own = pc.is_in(facts.traces["trace_id"], value_set=pa.array(incident.trace_ids, pa.string()))
    starts = facts.traces["start_ns"].filter(own)
    spread: int = pc.max(starts).as_py() - pc.min(starts).as_py()
    return spread >= UNEXPLAINED_S * 1000 * MS_NS


def _alive(
    found: Sequence[Incident], facts: Facts, known: Mapping[str, Mapping[str, Any]], now_ms: int
) -> dict[str, Document]:
    """Return the documents of what was found, and of known ones that go on without."""
    touched = _Touched(facts)
    current: dict[str, Document] = {}
    # As they are stored: what is read back holds lists where these hold tuples.
    for document in orjson.loads(orjson.dumps(with_commands(found, facts))):
        past = known.get(str(document["incident_id"]))
        recent = touched.recent(document, now_ms)
        carried: Document = {"seen": None}
        carried |= {name: past[name] for name in (*WORKED_OUT, *MARKED) if past and name in past}
        advanced = advance(document | carried, past, now_ms=now_ms, recent=recent)
        current[str(document["incident_id"])] = dict(advanced)
    absorbed = {name: key for key, one in current.items() for name in one["absorbed"]}
    for name, past in known.items():
        if name not in current and past.get("state") != CLOSED:
            recent = touched.recent(past, now_ms)
            into = absorbed.get(name)
            current[name] = dict(vanished(past, now_ms=now_ms, recent=recent, merged_into=into))
    return current


def _looked_at(
    archive: Archive, found: Sequence[Incident], facts: Facts, current: Mapping[str, Document]
) -> dict[str, Document]:
    """Work out where new and grown incidents sit, what changed before and what they resemble."""
    grown = [
        incident
        for incident in found
        if len(incident.trace_ids)
        >= GROWN * current[incident.incident_id].get("looked_at_traces", 0)
    ]
    if not grown:
        return {}
    periods = refresh_references(archive, facts, found)
    located = locate(archive, dated(archive, grown), facts, periods)
    documents = []
    for incident in located:
        whole = orjson.loads(orjson.dumps(incident.document()))
        worked_out = {"where": whole["where"], "changes": whole["changes"]}
        worked_out |= {"looked_at_traces": len(incident.trace_ids)}
        documents.append(current[incident.incident_id] | worked_out)
    return {one["incident_id"]: one for one in with_resemblance(archive, documents)}


def _save(
    archive: Archive,
    known: Mapping[str, Mapping[str, Any]],
    current: Mapping[str, Mapping[str, Any]],
) -> None:
    documents = {**known, **current}
    if documents != known:
        archive.save_incidents(KEPT_AS, [dict(documents[name]) for name in sorted(documents)])


def _watched(
    facts: Facts, known: Mapping[str, Mapping[str, Any]], current: dict[str, Document]
) -> Watched:
    def was_closed(name: str) -> bool:
        return name not in known or known[name].get("state") == CLOSED

    now_closed = {name for name, one in current.items() if one["state"] == CLOSED}
    numbers = window_numbers(facts)
    return Watched(
        facts=facts,
        incidents=[current[name] for name in sorted(current)],
        opened=tuple(sorted(n for n in current if n not in now_closed and was_closed(n))),
        closed=tuple(sorted(n for n in now_closed if not was_closed(n))),
        changed=tuple(one for name, one in sorted(current.items()) if known.get(name) != one),
        traces=numbers["traces"],
        failing=numbers["failing"],
    )


class _Touched:
    """Who of a window touched what, and failed when."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        shown = facts.symptoms.filter(pc.is_valid(facts.symptoms["channel"]))
        self._began_ms = {
            row["trace_id"]: row["began_ns"] // MS_NS
            for row in shown.select(["trace_id", "began_ns"]).to_pylist()
        }
        self._start_ms = {
            row["trace_id"]: row["start_ns"] // MS_NS
            for row in facts.traces.select(["trace_id", "start_ns"]).to_pylist()
        }

    def recent(self, document: Mapping[str, Any], now_ms: int) -> Recent:
        """Say how an incident fared in the last two minutes."""
        began = [self._began_ms[one] for one in document["trace_ids"] if one in self._began_ms]
        minute, before = now_ms - MINUTE_MS, now_ms - 2 * MINUTE_MS
        exposed = [one for one in self._exposed(document) if self._start_ms[one] >= minute]
        return Recent(
            failing_last_minute=sum(minute <= at for at in began),
            failing_minute_before=sum(before <= at < minute for at in began),
            exposed_last_minute=len(exposed),
            healthy_last_minute=sum(one not in self._began_ms for one in exposed),
            last_failing_ms=max(began, default=None),
        )

    def _exposed(self, document: Mapping[str, Any]) -> set[str]:
        """Return the traces of the window that touched all that the first cause names."""
        if not document["causes"]:
            return {one for one in document["trace_ids"] if one in self._start_ms}
        items = self._facts.items
        exposed = set(self._start_ms)
        for item in document["causes"][0]["all_of"]:
            is_it = pc.and_(
                pc.equal(items["kind"], item["kind"]), pc.equal(items["name"], item["name"])
            )
            exposed &= set(items.filter(is_it)["trace_id"].to_pylist())
        return exposed
