"""The workbench over open stores: each call is one job, or one word to the desk of repairs."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Literal

import msgspec

from graphmind.archive.port import Selection
from graphmind.errors import SourceError
from graphmind.graph.questions import bind, question
from graphmind.jobs.analyze import Stage, analyze
from graphmind.jobs.behaviour import score_traces
from graphmind.jobs.cases import confirm_case
from graphmind.jobs.classify import classify
from graphmind.jobs.diagnose import diagnose
from graphmind.jobs.library import export_library, import_library
from graphmind.jobs.lineage import lineage_of_incident, lineage_of_key, lineage_of_trace
from graphmind.jobs.repairs.desk import RepairDesk
from graphmind.jobs.review import FOLDER, review_week
from graphmind.jobs.similar import similar
from graphmind.jobs.stores import Stores
from graphmind.jobs.workbench.intake import Intake
from graphmind.jobs.workbench.port import Document
from graphmind.repair.audit import ChainBreak
from graphmind.repair.journal import AuditEntry
from graphmind.repair.record import Repair
from graphmind.repair.strategies.revisions import Revision, in_use
from graphmind.settings import Settings


class LocalWorkbench:
    """Answers from the stores of this process; the desk is opened when a call needs it first."""

    def __init__(
        self,
        stores: Stores,
        settings: Settings,
        *,
        intake: Intake,
        open_desk: Callable[[], RepairDesk],
        stage: Stage = lambda _name: None,
    ) -> None:
        self._stores = stores
        self._settings = settings
        self._intake = intake
        self._open_desk = open_desk
        self._opened: RepairDesk | None = None
        self._stage = stage

    def load(self, *, paths: list[str]) -> Document:
        """Load files and say what came."""
        taken = self._intake.take(paths, self._stores, self._stage)
        return taken.document() | {
            "duplicate": taken.loaded.duplicate,
            "settled": taken.settled,
            "inventory": taken.inventory,
        }

    def analyze(self, *, paths: list[str]) -> Document:
        """Find the incidents of files, or of all that is loaded."""
        taken = self._intake.take(paths, self._stores, self._stage) if paths else None
        selection = Selection(trace_ids=taken.loaded.trace_ids if taken else None)
        found = analyze(self._stores, self._settings, selection, self._stage)
        return {
            "window": found.window,
            "incidents": found.incidents,
            "unexplained": {"trace_ids": found.unexplained},
            "input": taken.document() if taken else _archived(self._stores.archive.counts()),
        }

    def incidents(self) -> list[Document]:
        """Return all incidents."""
        return self._stores.archive.incidents()

    def incident(self, *, incident_id: str) -> Document:
        """Return one whole."""
        return self._stores.archive.incident(incident_id)

    def ask(self, *, name: str, parameters: dict[str, str]) -> list[Document]:
        """Return the rows of a question."""
        return self._stores.graph.read(name, **bind(question(name), parameters))

    def diagnose(self, *, task_id: str | None, trace_id: str | None) -> Document:
        """Return the diagnosis of a task or of a trace."""
        return diagnose(self._stores, self._settings, task_id=task_id, trace_id=trace_id)

    def similar(self, *, incident_id: str, limit: int) -> Document:
        """Return an incident beside the past ones."""
        return similar(self._stores.archive, incident_id, limit).document()

    def lineage(self, *, incident_id: str, key: str, at_ms: int | None, trace_id: str) -> Document:
        """Follow the bad values of an incident, or of a key, or of a trace."""
        archive = self._stores.archive
        if incident_id:
            return lineage_of_incident(archive, incident_id).document()
        if key:
            moment_ms = _now_ms() if at_ms is None else at_ms
            return lineage_of_key(archive, key, at_ms=moment_ms).document()
        return lineage_of_trace(archive, trace_id).document()

    def classify(self, *, incident_id: str) -> Document:
        """Return of which class the root cause is."""
        return classify(self._stores.archive, self._settings, incident_id).document()

    def confirm(self, *, incident_id: str, label: str, by: str) -> Document:
        """Archive an incident as a case of a class."""
        return confirm_case(self._stores.archive, incident_id, label, by, _now_ms())

    def anomalies(self, *, limit: int) -> Document:
        """Return the least usual traces, and of how many."""
        scored = score_traces(self._stores.archive, self._settings, Selection(), _now_ms())
        order = [("anomaly_score", "descending"), ("trace_id", "ascending")]
        rows = scored.sort_by(order).slice(0, limit).to_pylist()
        return {"anomalies": rows, "traces": scored.num_rows}

    def review(self, *, week: str) -> Document:
        """Write the review of a week, and return it with the paths of its pages."""
        written = review_week(self._stores, self._settings, week=week, now_ms=_now_ms())
        folder = (self._settings.data_dir / FOLDER).absolute()
        pages = {suffix: str(folder / f"{written.week}.{suffix}") for suffix in ("html", "md")}
        return {"review": msgspec.to_builtins(written), "pages": pages}

    def export_library(self, *, file: str, origin: str) -> int:
        """Write the fingerprints of all incidents to a file."""
        with _opened(file, "wb") as target:
            return export_library(self._stores.archive, target, origin=origin)

    def import_library(self, *, file: str) -> dict[str, int]:
        """Add the fingerprints of a file."""
        with _opened(file, "rb") as source:
            return asdict(import_library(source, self._stores.archive))

    def plan(self, *, incident_id: str, who: str, strategy: str | None, dry_run: bool) -> Repair:
        """Plan a repair."""
        return self._desk.plan(incident_id, who=who, strategy=strategy, dry_run=dry_run)

    def plan_text(self, *, repair_id: str) -> str:
        """Say exactly what a repair would do."""
        return self._desk.text(self._desk.get(repair_id))

    def approve(
        self, *, repair_id: str, who: str, role: str, plan_hash: str, reason: str
    ) -> Repair:
        """Approve the plan of that hash."""
        return self._desk.approve(repair_id, who=who, role=role, plan_hash=plan_hash, reason=reason)

    def reject(self, *, repair_id: str, who: str, role: str, plan_hash: str, reason: str) -> Repair:
        """Reject the plan of that hash."""
        return self._desk.reject(repair_id, who=who, role=role, plan_hash=plan_hash, reason=reason)

    def run(self, *, repair_id: str, who: str) -> Repair:
        """Run a repair to its last step."""
        return self._desk.run(repair_id, who=who)

    def cancel(self, *, repair_id: str, who: str, reason: str) -> Repair:
        """Cancel a repair that does not run yet."""
        return self._desk.cancel(repair_id, who=who, reason=reason)

    def undo(self, *, repair_id: str, who: str, reason: str) -> Repair:
        """Undo a repair."""
        return self._desk.undo(repair_id, who=who, reason=reason)

    def intercept(self, *, repair_id: str, who: str, reason: str) -> Repair:
        """Ask a running repair to stop."""
        self._desk.intercept(repair_id, who=who, reason=reason)
        return self._desk.get(repair_id)

    def suppress(self, *, target: str, who: str, reason: str, until_ms: int | None) -> None:
        """Allow no repair of something until a time."""
        self._desk.suppress(target, who=who, reason=reason, until_ms=until_ms)

    def stop(self, *, on: bool, who: str, reason: str) -> None:
        """Set or release the switch that stops all repairs."""
        self._desk.stop(on, who=who, reason=reason)

    def repairs(self, *, incident_id: str | None, states: list[str], limit: int) -> list[Repair]:
        """Return repairs, newest first."""
        return self._desk.repairs(incident_id=incident_id, states=states, limit=limit)

    def repair(self, *, repair_id: str) -> Repair:
        """Return one repair."""
        return self._desk.get(repair_id)

    def strategies(self) -> list[Document]:
        """Return a row for each revision of each strategy."""
        found = self._desk.strategies()
        used = {strategy.key for strategy in in_use(found)}
        return [_row(revision, _standing(revision, used)) for revision in found]

    def approve_strategy(self, *, key: str, who: str) -> Document:
        """Approve a revision, and return its row."""
        return _row(self._desk.approve_strategy(key, who=who), "approved")

    def audit(
        self, *, repair_id: str | None, trace_id: str, task_id: str, strategy: str, limit: int
    ) -> list[AuditEntry]:
        """Return entries of the trail in order."""
        return self._desk.entries(
            repair_id=repair_id, trace_id=trace_id, task_id=task_id, strategy=strategy, limit=limit
        )

    def verify_audit(self) -> list[ChainBreak]:
        """Return where the trail is not what was written."""
        return self._desk.verify_audit()

    def package(self, *, repair_id: str) -> Document:
        """Return all that is known of a repair."""
        return self._desk.package(repair_id)

    @property
    def _desk(self) -> RepairDesk:
        if self._opened is None:
            self._opened = self._open_desk()
        return self._opened


def _archived(counts: Mapping[str, int]) -> Document:
    return {"spans": counts["spans"], "traces": counts["traces"], "rejected": []}


def _row(revision: Revision, state: str) -> Document:
    strategy = revision.strategy
    return {
        "key": revision.key,
        "title": strategy.title,
        "level": strategy.level,
        "repair_level": strategy.repair_level,
        "state": state,
        "approved_by": list(revision.approved_by),
        "proposed_by": revision.proposed_by,
        "source": revision.source,
    }


def _standing(revision: Revision, used: set[str]) -> str:
    if revision.key in used:
        return "in use"
    if not revision.approved_by:
        return "waits for approval"
    return "older" if revision.enabled else "switched off"


def _opened(file: str, mode: Literal["rb", "wb"]) -> AbstractContextManager[IO[Any]]:
    try:
        return Path(file).open(mode)
    except OSError as error:
        raise SourceError(f"{file} cannot be opened: {error.strerror}. Name another") from error


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
