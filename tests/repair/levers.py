"""A connector that offers given actions and reads given states, and strategies in few words."""

from collections.abc import Mapping, Sequence
from typing import Any

from graphmind.repair.connector import (
    Action,
    Applied,
    ConnectorError,
    Description,
    Effect,
    Planned,
    Seen,
)
from graphmind.repair.model import Call, Json, Level
from graphmind.repair.strategies.actions import LEVEL_OF, NOTHING_TO_UNDO
from graphmind.repair.strategies.loading import strategy_of
from graphmind.repair.strategies.strategy import Strategy

ANY: Json = {"type": "object"}


class Levers:
    """Plans whatever it offers; what it applies it only remembers."""

    def __init__(
        self,
        *offered: str,
        kind: str = "levers",
        live: bool = True,
        schemas: Mapping[str, Json] | None = None,
        levels: Mapping[str, Level] | None = None,
        unknown: Sequence[str] = (),
    ) -> None:
        self.applied: list[Call] = []
        self._offered, self._kind, self._live = offered, kind, live
        self._schemas, self._levels, self._unknown = schemas or {}, levels or {}, unknown

    def describe(self) -> Description:
        return Description(
            kind=self._kind,
            address="http://here",
            live=self._live,
            actions=tuple(
                Action(
                    name=name,
                    level=self._levels.get(name) or LEVEL_OF.get(name, "model"),
                    params_schema=self._schemas.get(name, ANY),
                    undoable=name not in NOTHING_TO_UNDO,
                )
                for name in self._offered
            ),
        )

    def plan(self, call: Call) -> Planned:
        if call.target in self._unknown:
            raise ConnectorError(f"knows no {call.target}")
        has_undo = call.action not in NOTHING_TO_UNDO and call.action != "explode"
        return Planned(
            before={"state": "old"},
            undo=Call(action=call.action, target=call.target) if has_undo else None,
            summary=f"{call.action} {call.target}",
            undoes_with="" if has_undo else "it stays so",
        )

    def apply(self, call: Call, *, before: Json, key: str) -> Applied:
        self.applied.append(call)
        return Applied(detail="done")

    def verify(self, call: Call, *, before: Json, key: str) -> Seen:
        return Seen(effect=Effect.NOT_APPLIED, state=before)

    def undo(self, call: Call, *, before: Json, key: str) -> Applied:
        return Applied(detail="done")

    def close(self) -> None:
        return None


def everything() -> Levers:
    return Levers(*LEVEL_OF)


def document(**changes: Any) -> dict[str, Any]:
    """Return the document of a strategy that is valid."""
    return {
        "strategy_id": "switch_back",
        "title": "Switch back",
        "level": "warn",
        "repair_level": "model",
        "condition": {"root_cause": "model_version"},
        "actions": [{"action": "switch_model_version", "target": "{model}"}],
    } | changes


def strategy(**changes: Any) -> Strategy:
    """Return the strategy that a valid document says."""
    return strategy_of(document(**changes))
