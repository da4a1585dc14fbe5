"""Each second: what the telemetry since says of the repairs that were run."""

import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import pyarrow.compute as pc

from graphmind.archive.port import Archive, Selection
from graphmind.errors import UnknownName
from graphmind.jobs.repairs.course import (
    REMEMBERED_MS,
    Course,
    begin,
    effect_of,
    structure_of,
)
from graphmind.jobs.repairs.desk import RepairDesk
from graphmind.jobs.repairs.requests import MS_NS, Trace, traces_of
from graphmind.jobs.repairs.verdicts import (
    WHO,
    fingerprinted,
    is_over,
    keep_reading,
    remember_healing,
)
from graphmind.repair.audit import drafted
from graphmind.repair.journal import Outdated, TargetBusy
from graphmind.repair.record import Repair
from graphmind.repair.states import Event, State, after
from graphmind.settings import Settings
from graphmind.telemetry.derive import derive
from graphmind.telemetry.facts import Facts
from graphmind.telemetry.rejections import Rejections
from graphmind.verification.reading import Reading
from graphmind.verification.words import Unverifiable, Verdict

_log = logging.getLogger(__name__)

KIND: Final = "verification"
"""Kind of the documents that verifications go on from, by repair."""
SAVE_EVERY_MS: Final = 5_000
"""The state is kept so often (chosen): what came since is read from the archive again."""
KEEP_EVERY_MS: Final = 30_000
"""The record of the repair, and its lease, are renewed so often between verdicts (chosen)."""
BEGIN_WITHIN_MS: Final = 30_000
"""Telemetry of before the repair may come late; after so long a verification cannot begin."""
OPEN_MAX: Final = 2_000
"""Traces without an end that are looked at each time (chosen)."""
OPEN_AFTER_MS: Final = 8_000
"""A trace without an end is looked at this long after its start: just before it counts."""
LATER_MS: Final = 600_000
"""Harm is looked for so long after a verdict that a repair did not help (as the relapse watch)."""


class Verifications:
    """The verifications under way. One thread asks; any may hand telemetry in."""

    def __init__(self, desk: RepairDesk) -> None:
        self._desk = desk
        self._courses: dict[str, Course] = {}
        self._saved_ms: dict[str, int] = {}
        self._kept_ms: dict[str, int] = {}
        self._fresh: list[Facts] = []
        self._resumed = False
        self._lock = threading.Lock()
        self._healed: list[Facts] = []

    def settled(self, facts: Facts) -> None:
        """Take note of traces that settled, or settled anew."""
        with self._lock:
            if self._courses:
                self._fresh.append(facts)

    def take_healed(self) -> list[Facts]:
        """Return the facts of traces that were flagged as recovered since this was asked."""
        healed, self._healed = self._healed, []
        return healed

    def look(self, *, watermark_ms: int) -> dict[str, int]:
        """Judge each repair by the telemetry that has come in up to a time; return counts."""
        with self._lock:
            fresh, self._fresh = self._fresh, []
        news = [trace for facts in fresh for trace in traces_of(facts)]
        self._take_up()
        if not self._courses:
            return {}
        news += _open(self._desk.stores.archive, self._desk.settings, self._courses, watermark_ms)
        verdicts = 0
        for course in list(self._courses.values()):
            try:
                course.feed(news)
                verdicts += self._judged(course, course.tick(watermark_ms))
            except (Outdated, TargetBusy) as error:
                # Somebody acted on the repair or its target; the next look sees what is then.
                _log.info("verification_waits repair=true reason=%s", error)
            except UnknownName as error:
                self._end(course.repair_id)
                _log.warning("verification_ended repair=true %s", error)
        return {"verifying": len(self._courses), "verdicts": verdicts}

    def _take_up(self) -> None:
        """Begin, or go on with, the verifications that are not under way here."""
        if not self._resumed:
            self._resume()
            self._resumed = True
        for repair in self._desk.repairs(states=(State.VERIFYING,)):
            if repair.repair_id not in self._courses:
                self._begin(repair)

    def _resume(self) -> None:
        """Go on with what the last process left."""
        for name, document in self._desk.stores.archive.documents(KIND).items():
            try:
                if is_over(self._desk.get(name)):
                    self._end(name)
                else:
                    self._hold(Course.of(document))
            except (UnknownName, Unverifiable) as error:
                _log.warning("verification_begun_anew repair=true repair_id=%s %s", name, error)
                self._end(name)

    def _begin(self, repair: Repair) -> None:
        archive = self._desk.stores.archive
        try:
            incident = archive.incident(repair.incident_id)
            hints = self._desk.revision(repair).strategy.verification
            course = begin(archive, self._desk.settings, repair, incident, wait_s=hints.wait_s)
        except (Unverifiable, UnknownName) as error:
            self._unverifiable(repair, str(error))
            return
        self._hold(course)
        self._save(course)
        _log.info("verification_begun repair=true repair_id=%s", repair.repair_id)

    def _hold(self, course: Course) -> None:
        """Take a course in, with what settled since the repair and may still count."""
        since_ms = max(course.executed_ms, self._desk.now_ms() - REMEMBERED_MS)
        facts = self._desk.stores.archive.facts(Selection(from_ns=since_ms * MS_NS))
        with self._lock:
            self._courses[course.repair_id] = course
        course.feed(traces_of(facts))

    def _unverifiable(self, repair: Repair, why: str) -> None:
        now_ms = self._desk.now_ms()
        if now_ms - (repair.executed_ms or now_ms) < BEGIN_WITHIN_MS:
            return
        ended = replace(
            repair,
            state=after(repair.state, Event.INCONCLUSIVE),
            verdict=str(Verdict.INCONCLUSIVE),
            reason=why,
            ended_ms=now_ms,
            verification={"verdict": str(Verdict.INCONCLUSIVE), "reasons": [why]},
        )
        entry = drafted(ended, str(Event.INCONCLUSIVE), who=WHO, at_ms=now_ms, reasons=[why])
        self._desk.journal.change(ended, entry)

    def _judged(self, course: Course, reading: Reading) -> int:
        """Keep a reading; return 1 where the verdict is new."""
        desk, name = self._desk, course.repair_id
        repair = desk.get(name)
        if is_over(repair):
            self._end(name)
            return 0
        known = repair.verification
        is_new = self._is_news(repair, reading)
        recovering = reading.recovering and not known.get("recovering", False)
        if not (is_new or recovering or self._is_due(self._kept_ms, name, KEEP_EVERY_MS)):
            self._saved(course)
            return 0
        more = self._measured(course, repair) if is_new else {}
        if is_new:
            repair = fingerprinted(desk, repair)
        kept = keep_reading(desk, repair, reading, more)
        self._kept_ms[name] = desk.now_ms()
        if is_new and reading.verdict is Verdict.EFFECTIVE:
            healed = remember_healing(desk, kept)
            self._healed += [healed] if healed is not None else []
        if is_over(kept) or self._has_ended(reading):
            self._end(name)
        else:
            self._saved(course, now=is_new)
        return int(is_new)

    def _is_news(self, repair: Repair, reading: Reading) -> bool:
        """Whether a verdict is not in the record yet, or harm is, and was not acted upon."""
        if reading.verdict is Verdict.HARMFUL:
            return True
        return str(reading.verdict) not in str(
            repair.verification.get("verdict", Verdict.OPEN)
        ).split("/")

    def _has_ended(self, reading: Reading) -> bool:
        if reading.verdict in {Verdict.CONFIRMED, Verdict.RELAPSED, Verdict.HARMFUL}:
            return True
        is_open = reading.verdict in {Verdict.OPEN, Verdict.EFFECTIVE}
        return not is_open and reading.at_ms - reading.since_ms > LATER_MS

    def _measured(self, course: Course, repair: Repair) -> dict[str, Any]:
        """Return figures and structure, before and after, as they are at a verdict."""
        archive, now_ms = self._desk.stores.archive, self._desk.now_ms()
        found: dict[str, Any] = {"effect": effect_of(course, archive, until_ms=now_ms)}
        if repair.executed_ms is not None:
            found["seconds"] = round((now_ms - repair.executed_ms) / 1000, 1)
        incident = archive.incident(repair.incident_id)
        onset_ms = int(str(incident["onset_ms"]))
        found["structure"] = structure_of(course, archive, onset_ms=onset_ms, until_ms=now_ms)
        return found

    def _saved(self, course: Course, *, now: bool = False) -> None:
        if now or self._is_due(self._saved_ms, course.repair_id, SAVE_EVERY_MS):
            self._save(course)

    def _save(self, course: Course) -> None:
        documents = {course.repair_id: course.document()}
        self._desk.stores.archive.replace_documents(KIND, documents)
        self._saved_ms[course.repair_id] = self._desk.now_ms()

    def _is_due(self, last: dict[str, int], name: str, every_ms: int) -> bool:
        return self._desk.now_ms() - last.get(name, 0) >= every_ms

    def _end(self, name: str) -> None:
        with self._lock:
            self._courses.pop(name, None)
        self._desk.stores.archive.replace_documents(KIND, {}, without=[name])


def _open(
    archive: Archive, settings: Settings, courses: dict[str, Course], watermark_ms: int
) -> Sequence[Trace]:
    """Read traces that have not ended and are about to count, from the spans that came so far."""
    first_ms = min(course.executed_ms for course in courses.values())
    starts = archive.starts(Selection(trace_ids=archive.unsettled()))
    ns = starts["start_ns"]
    is_one = pc.and_(
        pc.greater_equal(ns, max(first_ms, watermark_ms - REMEMBERED_MS) * MS_NS),
        pc.less(ns, (watermark_ms - OPEN_AFTER_MS) * MS_NS),
    )
    ids = starts["trace_id"].filter(is_one).combine_chunks()[:OPEN_MAX]
    if not len(ids):
        return ()
    spans = archive.spans(Selection(trace_ids=ids))
    facts = derive(spans, settings, Rejections(), now_ns=watermark_ms * MS_NS)
    return _unended(traces_of(facts))


def _unended(traces: Iterable[Trace]) -> list[Trace]:
    """Return the traces as still under way: what ended among them settles in a moment."""
    return [
        replace(trace, attempt=replace(trace.attempt, end_ms=None))
        for trace in traces
        if trace.attempt.end_ms is None
    ]
