"""What follows from a verdict: kept in the journal, undone where it did harm, remembered."""

import logging
from dataclasses import replace
from typing import Any, Final

import pyarrow as pa

from graphmind.archive.port import Archive, Selection
from graphmind.errors import GraphmindError, SettingsError
from graphmind.jobs.cases import CASE, confirm_case
from graphmind.jobs.classify import classify
from graphmind.jobs.library import KIND as LIBRARY
from graphmind.jobs.library import remember
from graphmind.jobs.repairs.desk import RepairDesk
from graphmind.jobs.repairs.situation import fingerprint_of
from graphmind.repair.audit import drafted
from graphmind.repair.progress import next_back
from graphmind.repair.record import Repair
from graphmind.repair.states import TRANSITIONS, Event, State
from graphmind.telemetry.facts import Facts
from graphmind.verification.reading import Reading
from graphmind.verification.words import Remedy, Verdict

_log = logging.getLogger(__name__)

WHO: Final = "verification"
RECOVERY: Final = "recovery"
"""Kind of the documents that say which repair healed an incident, and which traces."""
LEASE_MS: Final = 900_000
"""How long the target stays held after each look (as the runner's)."""
FALLBACKS: Final = frozenset({"switch_model_version", "degrade", "fail_over", "drain"})
"""Actions after which something else does the work that failed."""
EVENTS: Final[dict[Verdict, Event]] = {
    Verdict.EFFECTIVE: Event.EFFECTIVE,
    Verdict.NONE: Event.INEFFECTIVE,
    Verdict.PARTIAL: Event.INEFFECTIVE,
    Verdict.INCONCLUSIVE: Event.INCONCLUSIVE,
    Verdict.HARMFUL: Event.HARMFUL,
    Verdict.RELAPSED: Event.RELAPSED,
}
WORDS: Final[dict[Verdict, str]] = {
    Verdict.NONE: "ineffective/none",
    Verdict.PARTIAL: "ineffective/partial",
    Verdict.RELAPSED: "ineffective/relapsed",
    Verdict.CONFIRMED: "effective/confirmed",
}
"""As the track record reads them: the word before the stroke counts."""


def keep_reading(
    desk: RepairDesk, repair: Repair, reading: Reading, more: dict[str, Any]
) -> Repair:
    """Keep how a verification stands; the state changes where its verdict did.

    ``more`` goes into the record of the verification beside the reading.
    """
    word = WORDS.get(reading.verdict, str(reading.verdict))
    known = repair.verification
    told = reading.document() | {"verdict": word}
    changed = replace(repair, verification={**known, **told, **more})
    # Who noted harm may have died before it was undone.
    is_known = word == known.get("verdict", str(Verdict.OPEN))
    if is_known and reading.verdict is not Verdict.HARMFUL:
        return _looked(
            desk, changed, recovering=reading.recovering > known.get("recovering", False)
        )
    changed = replace(changed, verdict=word)
    event = EVENTS.get(reading.verdict)
    if event is None or (changed.state, event) not in TRANSITIONS:
        return _noted(desk, changed, "verdict", reading)
    if event is Event.HARMFUL:
        return _harmful(desk, changed, reading)
    moved = replace(
        changed,
        state=TRANSITIONS[changed.state, event],
        reason="; ".join(reading.reasons),
        ended_ms=repair.ended_ms or desk.now_ms(),
    )
    return _noted(desk, moved, str(event), reading)


def _looked(desk: RepairDesk, repair: Repair, *, recovering: bool) -> Repair:
    """Keep a reading without a new verdict, and the lease with it."""
    lease_ms = desk.now_ms() + LEASE_MS
    if not recovering:
        return desk.journal.change(repair, lease_until_ms=lease_ms)
    _log.info("repair_recovering repair=true repair_id=%s", repair.repair_id)
    entry = drafted(repair, "recovering", who=WHO, at_ms=desk.now_ms())
    return desk.journal.change(repair, entry, lease_until_ms=lease_ms)


def _harmful(desk: RepairDesk, repair: Repair, reading: Reading) -> Repair:
    """Undo what did harm, where the harm is proven and the strategy does not ask first."""
    asks = desk.revision(repair).strategy.rollback == "ask"
    by_itself = reading.remedy is Remedy.ROLL_BACK and not asks and next_back(repair) is not None
    if not by_itself:
        paged = replace(
            repair,
            state=TRANSITIONS[repair.state, Event.HARMFUL],
            reason="a person must decide whether it is undone: " + "; ".join(reading.reasons),
            verification={**repair.verification, "remedy": str(Remedy.PAGE)},
            ended_ms=repair.ended_ms or desk.now_ms(),
        )
        return _noted(desk, paged, str(Event.HARMFUL), reading)
    kept = _noted(desk, repair, "verdict", reading)
    reason = "; ".join(reading.reasons)
    return desk.runner.undo(kept.repair_id, who=WHO, reason=reason, by="system", harmful=True)


def _noted(desk: RepairDesk, repair: Repair, what: str, reading: Reading) -> Repair:
    now_ms = desk.now_ms()
    entry = drafted(
        repair,
        what,
        who=WHO,
        at_ms=now_ms,
        verdict=repair.verdict,
        reasons=list(reading.reasons),
        numbers=dict(reading.numbers),
    )
    _log.info(
        "repair_verdict repair=true repair_id=%s verdict=%s strategy=%s seconds=%.1f",
        repair.repair_id,
        repair.verdict,
        repair.strategy,
        (now_ms - (repair.executed_ms or now_ms)) / 1000,
    )
    return desk.journal.change(repair, entry, lease_until_ms=now_ms + LEASE_MS)


def remember_healing(desk: RepairDesk, repair: Repair) -> Facts | None:
    """Flag the traces that an effective repair was about, and archive the case.

    Returns the facts that changed, for whoever shows them. What cannot be archived is logged: the
    verdict stands without it.
    """
    try:
        incident = desk.stores.archive.incident(repair.incident_id)
        _archive_case(desk, repair, incident)
        return _flag(desk, repair)
    except GraphmindError as error:
        _log.warning("repair_not_archived repair=true repair_id=%s %s", repair.repair_id, error)
        return None


def fingerprinted(desk: RepairDesk, repair: Repair) -> Repair:
    """Return a repair with the fingerprint of its incident, taken since it was planned."""
    if repair.fingerprint:
        return repair
    try:
        incident = desk.stores.archive.incident(repair.incident_id)
    except GraphmindError:
        return repair
    return replace(repair, fingerprint=fingerprint_of(incident))


def _archive_case(desk: RepairDesk, repair: Repair, incident: dict[str, Any]) -> None:
    archive = desk.stores.archive
    if repair.incident_id not in archive.documents(LIBRARY):
        remember(archive, [incident])
    if repair.incident_id in archive.documents(CASE):
        return  # A person said what it is.
    try:
        verdict = classify(archive, desk.settings, repair.incident_id).verdict
    except SettingsError:
        return
    if verdict is not None:
        by = f"repair:{repair.repair_id}"
        confirm_case(archive, repair.incident_id, verdict.root_cause, by, desk.now_ms())


def _flag(desk: RepairDesk, repair: Repair) -> Facts | None:
    """Mark the incident's traces as recovered, in the archive."""
    archive = desk.stores.archive
    ids = sorted(repair.command.get("trace_scope", ()))
    document = {
        "repair_id": repair.repair_id,
        "recovery_strategy": repair.strategy,
        "at_ms": desk.now_ms(),
        "trace_ids": ids,
    }
    archive.replace_documents(RECOVERY, {repair.incident_id: document})
    facts = _recovered(archive, ids, fell_back=_falls_back(repair))
    return facts if facts.traces.num_rows else None


def recovery_strategies(archive: Archive) -> dict[str, str]:
    """Return by which strategy traces were recovered, by trace id."""
    return {
        trace_id: document["recovery_strategy"]
        for document in archive.documents(RECOVERY).values()
        for trace_id in document["trace_ids"]
    }


def _falls_back(repair: Repair) -> bool:
    """Whether a repair has something else do the work: another version, rules, a region."""
    assert repair.plan is not None
    return any(step.call.action in FALLBACKS for step in repair.plan.steps)


def _recovered(archive: Archive, ids: list[str], *, fell_back: bool) -> Facts:
    as_of = archive.latest()
    facts = archive.facts(Selection(trace_ids=pa.array(ids, pa.string())))
    traces = facts.traces
    yes = pa.array([True] * traces.num_rows, pa.bool_())
    for name in ("recovered", "fallback_applied") if fell_back else ("recovered",):
        place = traces.schema.get_field_index(name)
        traces = traces.set_column(place, traces.schema.field(place), yes)
    flagged = replace(facts, traces=traces)
    if traces.num_rows:
        archive.store_facts(flagged, as_of=as_of)
    return flagged


def is_over(repair: Repair) -> bool:
    """Whether no verdict on a repair is looked for any more."""
    return repair.state not in {
        State.VERIFYING,
        State.SUCCEEDED,
        State.INEFFECTIVE,
        State.INCONCLUSIVE,
    }
