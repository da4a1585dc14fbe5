"""The verification of one repair as it goes on: begun from history, fed with what settles."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.archive.port import Archive, Selection
from graphmind.jobs.repairs.requests import (
    MS_NS,
    Trace,
    causes_of,
    destinations_of,
    kept_parts,
    touching,
    traces_of,
)
from graphmind.jobs.repairs.yardstick import Before, Yardstick, measure
from graphmind.jobs.window import with_lineage
from graphmind.repair.record import Repair
from graphmind.settings import Settings
from graphmind.telemetry.facts import Facts
from graphmind.verification.effect import Effect
from graphmind.verification.reading import Reading
from graphmind.verification.verifier import Verifier
from graphmind.verification.words import Unverifiable

HISTORY_MAX: Final = 30_000
"""Traces read of the time before the onset, and of the incident: the rule asks for 20,000 healthy
ones, and reading so many takes about a second (chosen)."""
REMEMBERED_MS: Final = 130_000
"""Attempts are remembered so long after their start: what is told of later counts no more."""
SHARE_DIFFERS: Final = 0.05
"""Shares of requests that differ by more are told as a difference of structure (chosen)."""
VERSION: Final = 3


@dataclass(kw_only=True)
class Course:
    """One repair's verification."""

    repair_id: str
    executed_ms: int
    yardstick: Yardstick
    verifier: Verifier
    watching: bool = True
    """Off once the verdict is final."""
    _attempts: dict[str, dict[str, Trace]] = field(default_factory=dict)

    def feed(self, traces: Iterable[Trace]) -> None:
        """Take what is newly known of traces."""
        changed = set()
        for trace in traces:
            if trace.attempt.start_ms >= self.executed_ms:
                self._attempts.setdefault(trace.unit, {})[trace.trace_id] = trace
                changed.add(trace.unit)
        for unit in changed:
            attempts = sorted(self._attempts[unit].values(), key=lambda t: t.attempt.start_ms)
            request = self.yardstick.request(unit, attempts)
            if request is not None:
                self.verifier.feed(request)

    def tick(self, watermark_ms: int) -> Reading:
        """Judge by what was known up to a time; forget attempts too old to count."""
        old_ms = watermark_ms - REMEMBERED_MS
        gone = [
            unit
            for unit, attempts in self._attempts.items()
            if min(trace.attempt.start_ms for trace in attempts.values()) < old_ms
        ]
        for unit in gone:
            del self._attempts[unit]
        return self.verifier.tick(max(watermark_ms, self.executed_ms))

    def document(self) -> dict[str, Any]:
        """Return the state as JSON-ready names and values; attempts are read again."""
        return {
            "version": VERSION,
            "repair_id": self.repair_id,
            "executed_ms": self.executed_ms,
            "yardstick": self.yardstick.document(),
            "verifier": self.verifier.document(),
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Go on from what ``document`` returned. Raises Unverifiable for another version's."""
        if document.get("version") != VERSION:
            raise Unverifiable(
                f"Expected the course of a verification of version {VERSION}, came "
                f"{document.get('version')!r}: it is begun anew"
            )
        return cls(
            repair_id=document["repair_id"],
            executed_ms=document["executed_ms"],
            yardstick=Yardstick.of(document["yardstick"]),
            verifier=Verifier.resumed(document["verifier"]),
        )


def begin(
    archive: Archive,
    settings: Settings,
    repair: Repair,
    incident: Mapping[str, Any],
    *,
    wait_s: float | None,
) -> Course:
    """Learn from the archive what the repair is to be measured by.

    Raises Unverifiable where it holds no healthy requests, or none that the cause reached.
    """
    assert repair.plan is not None
    assert repair.executed_ms is not None
    begun_ms = repair.started_ms or repair.executed_ms
    onset_ms = min([incident["onset_ms"], *(c["onset_ms"] for c in incident["causes"])])
    window_ms = round(settings.live_window_s * 1000)
    facts = with_lineage(_history(archive, onset_ms - window_ms, onset_ms, begun_ms))
    before = Before(
        traces=traces_of(facts),
        target=touching(facts, causes_of(incident)),
        destination=touching(facts, destinations_of(repair.plan)),
        onset_ms=onset_ms,
        executed_ms=begun_ms,
        times_to_symptom_s=_times_to_symptom(facts, incident),
    )
    yardstick, bounds = measure(before, kept_parts(repair.plan), wait_s=wait_s)
    verifier = Verifier(bounds, executed_ms=repair.executed_ms)
    return Course(
        repair_id=repair.repair_id,
        executed_ms=repair.executed_ms,
        yardstick=yardstick,
        verifier=verifier,
    )


def effect_of(course: Course, archive: Archive, *, until_ms: int) -> dict[str, Any]:
    """Return figures when healthy, in the incident and since the repair, as a document."""
    grace_ms = round(course.verifier.document()["options"]["grace_s"] * 1000)
    facts = _latest(archive, course.executed_ms + grace_ms, until_ms)
    effect = Effect(
        healthy=course.yardstick.healthy,
        before=course.yardstick.incident,
        after=course.yardstick.figures(traces_of(facts)),
    )
    return effect.document()


def structure_of(
    course: Course, archive: Archive, *, onset_ms: int, until_ms: int
) -> dict[str, dict[str, float]]:
    """Return which modules, agents and versions exposed requests touch otherwise than before.

    Shares of requests, in the incident (``before``) and since the repair (``after``).
    """
    shares = {
        name: _shares(course, _latest(archive, from_ms, to_ms))
        for name, from_ms, to_ms in (
            ("before", onset_ms, course.executed_ms),
            ("after", course.executed_ms, until_ms),
        )
    }
    names = sorted({*shares["before"], *shares["after"]})
    differ = [
        name
        for name in names
        if abs(shares["before"].get(name, 0.0) - shares["after"].get(name, 0.0)) > SHARE_DIFFERS
    ]
    return {
        when: {name: round(found.get(name, 0.0), 4) for name in differ}
        for when, found in shares.items()
    }


def _shares(course: Course, facts: Facts) -> dict[str, float]:
    exposed = [trace.trace_id for trace in course.yardstick.exposed(traces_of(facts))]
    if not exposed:
        return {}
    kinds = pa.array(["module", "agent", "model_version", "region"])
    items = facts.items.filter(
        pc.and_(
            pc.is_in(facts.items["kind"], kinds),
            pc.is_in(facts.items["trace_id"], pa.array(exposed, pa.string())),
        )
    )
    grouped = items.group_by(["kind", "name"]).aggregate([("trace_id", "count_distinct")])
    return {
        f"{row['kind']}:{row['name']}": row["trace_id_count_distinct"] / len(exposed)
        for row in grouped.to_pylist()
    }


def _history(archive: Archive, from_ms: int, onset_ms: int, until_ms: int) -> Facts:
    """Return the traces before the onset and those since, of each the latest if there are many."""
    early, late = _latest(archive, from_ms, onset_ms), _latest(archive, onset_ms, until_ms)
    return Facts(
        traces=pa.concat_tables([early.traces, late.traces]),
        symptoms=pa.concat_tables([early.symptoms, late.symptoms]),
        items=pa.concat_tables([early.items, late.items]),
        accesses=pa.concat_tables([early.accesses, late.accesses]),
    )


def _latest(archive: Archive, from_ms: int, until_ms: int) -> Facts:
    """Return the facts of a time, of its end where it holds more than HISTORY_MAX traces."""
    whole = Selection(from_ns=from_ms * MS_NS, until_ns=until_ms * MS_NS)
    held = sum(archive.failing_and_healthy(whole))
    if held > HISTORY_MAX:
        from_ms = until_ms - round((until_ms - from_ms) * HISTORY_MAX / held)
    return archive.facts(Selection(from_ns=from_ms * MS_NS, until_ns=until_ms * MS_NS))


def _times_to_symptom(facts: Facts, incident: Mapping[str, Any]) -> list[float]:
    own = pa.array(incident["trace_ids"], pa.string())
    shown = facts.symptoms.filter(pc.is_in(facts.symptoms["trace_id"], own))
    began = dict(zip(*(shown[name].to_pylist() for name in ("trace_id", "began_ns")), strict=True))
    starts = facts.traces.select(["trace_id", "start_ns"]).to_pylist()
    return [
        max(began[row["trace_id"]] - row["start_ns"], 0) / 1e9
        for row in starts
        if began.get(row["trace_id"]) is not None and row["start_ns"] is not None
    ]
