"""The port between the command line and whatever answers it, and its calls as data.

It is declared once, as ``Workbench``: over HTTP the arguments and the answer of a call have the
types that stand there, so a new call needs nothing but its line here and in ``local.py``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from inspect import Parameter, signature
from types import MappingProxyType
from typing import Any, Protocol, get_type_hints

import msgspec

from graphmind.repair.audit import ChainBreak
from graphmind.repair.journal import AuditEntry
from graphmind.repair.record import Repair

Document = dict[str, Any]
"""JSON values, as ``--json`` prints them."""


class Workbench(Protocol):
    """What the command line can ask. Errors are those of the jobs behind it."""

    def load(self, *, paths: list[str]) -> Document:
        """Load files and say what came. Paths are absolute."""

    def analyze(self, *, paths: list[str]) -> Document:
        """Find the incidents of these files, or of all that is loaded where none is named."""

    def incidents(self) -> list[Document]:
        """Return all incidents."""

    def incident(self, *, incident_id: str) -> Document:
        """Return one whole."""

    def ask(self, *, name: str, parameters: dict[str, str]) -> list[Document]:
        """Return the rows of a question."""

    def diagnose(self, *, task_id: str | None, trace_id: str | None) -> Document:
        """Return the diagnosis of a task or of a trace."""

    def similar(self, *, incident_id: str, limit: int) -> Document:
        """Return an incident beside the past ones."""

    def lineage(self, *, incident_id: str, key: str, at_ms: int | None, trace_id: str) -> Document:
        """Follow the bad values of an incident, or of a key at a time, or of a trace."""

    def classify(self, *, incident_id: str) -> Document:
        """Return of which class the root cause is."""

    def confirm(self, *, incident_id: str, label: str, by: str) -> Document:
        """Archive an incident as a case of a class."""

    def anomalies(self, *, limit: int) -> Document:
        """Return the least usual traces, and of how many."""

    def review(self, *, week: str) -> Document:
        """Write the review of a week, of the last trace's where none is named, and return it."""

    def export_library(self, *, file: str, origin: str) -> int:
        """Write the fingerprints of all incidents to a file; return how many."""

    def import_library(self, *, file: str) -> dict[str, int]:
        """Add the fingerprints of a file; return what that changed."""

    def plan(self, *, incident_id: str, who: str, strategy: str | None, dry_run: bool) -> Repair:
        """Plan a repair."""

    def plan_text(self, *, repair_id: str) -> str:
        """Say exactly what a repair would do."""

    def approve(
        self, *, repair_id: str, who: str, role: str, plan_hash: str, reason: str
    ) -> Repair:
        """Approve the plan of that hash."""

    def reject(self, *, repair_id: str, who: str, role: str, plan_hash: str, reason: str) -> Repair:
        """Reject the plan of that hash."""

    def run(self, *, repair_id: str, who: str) -> Repair:
        """Run a repair to its last step."""

    def cancel(self, *, repair_id: str, who: str, reason: str) -> Repair:
        """Cancel a repair that does not run yet."""

    def undo(self, *, repair_id: str, who: str, reason: str) -> Repair:
        """Undo a repair."""

    def intercept(self, *, repair_id: str, who: str, reason: str) -> Repair:
        """Ask a running repair to stop."""

    def suppress(self, *, target: str, who: str, reason: str, until_ms: int | None) -> None:
        """Allow no repair of something until a time; None: until it is lifted."""

    def stop(self, *, on: bool, who: str, reason: str) -> None:
        """Set or release the switch that stops all repairs."""

    def repairs(self, *, incident_id: str | None, states: list[str], limit: int) -> list[Repair]:
        """Return repairs, newest first."""

    def repair(self, *, repair_id: str) -> Repair:
        """Return one repair."""

    def strategies(self) -> list[Document]:
        """Return a row for each revision of each strategy."""

    def approve_strategy(self, *, key: str, who: str) -> Document:
        """Approve a revision, and return its row."""

    def audit(
        self, *, repair_id: str | None, trace_id: str, task_id: str, strategy: str, limit: int
    ) -> list[AuditEntry]:
        """Return entries of the trail in order; what is empty or None does not filter."""

    def verify_audit(self) -> list[ChainBreak]:
        """Return where the trail is not what was written."""

    def package(self, *, repair_id: str) -> Document:
        """Return all that is known of a repair."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of the port: how its arguments and its answer are written."""

    name: str
    arguments: type[msgspec.Struct]
    answer: Any

    def read_arguments(self, body: bytes) -> dict[str, Any]:
        """Read arguments from JSON. Raises msgspec.MsgspecError."""
        given = msgspec.json.decode(body, type=self.arguments)
        return {name: getattr(given, name) for name in given.__struct_fields__}

    def read_answer(self, body: bytes) -> Any:
        """Read an answer from JSON. Raises msgspec.MsgspecError."""
        return msgspec.json.decode(body, type=self.answer)


@cache
def calls() -> Mapping[str, Call]:
    """Return every call of the port by its name."""
    methods = {name: each for name, each in vars(Workbench).items() if not name.startswith("_")}
    return MappingProxyType({name: _call(name, each) for name, each in methods.items()})


def _call(name: str, method: Any) -> Call:
    hints = get_type_hints(method)
    parameters: Sequence[Parameter] = list(signature(method).parameters.values())[1:]
    arguments = msgspec.defstruct(
        name, [(each.name, hints[each.name]) for each in parameters], forbid_unknown_fields=True
    )
    return Call(name=name, arguments=arguments, answer=hints["return"])
