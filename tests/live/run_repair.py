"""A process that runs one repair of four steps against a Redis, and may be ended at a point.

    run_repair.py DATA_FOLDER REDIS_PORT [REFUSED_TARGET]

``KILL_POINT`` numbers the points: before and after each transaction of the journal and each call.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import redis

from graphmind.graph.embedded import open_embedded
from graphmind.repair.calls import Patience
from graphmind.repair.connector import (
    Applied,
    ConnectorError,
    Description,
    Effect,
    OutcomeUnknown,
    Planned,
    Seen,
    StateChanged,
)
from graphmind.repair.graph_journal import GraphJournal
from graphmind.repair.journal import AuditDraft
from graphmind.repair.model import Call, Json
from graphmind.repair.record import Repair
from graphmind.repair.recovery import recover
from graphmind.repair.runner import Runner
from graphmind.repair.states import State
from tests.repair.repairs import kept_approved, repair, setting, step

PATIENCE = Patience(wait_s=0.01, look_again_s=(0.01,), lease_ms=60_000)
STEPS = tuple(step(number, target) for number, target in enumerate("abcd", 1))
EFFECTS = "effects"
"""List of all changes that were made, in order: a call that is made twice stands there twice."""


class RedisValues:
    """Sets values in a Redis, compared before they are written; knows no idempotency keys.

    So a call that is repeated blindly takes effect, and is counted, twice.
    """

    def __init__(self, port: int, refused: str = "") -> None:
        self._redis = redis.Redis(port=port, decode_responses=True, socket_timeout=5)
        self._refused = refused

    def describe(self) -> Description:
        return Description(kind="redis", address="loopback", live=True, actions=())

    def plan(self, call: Call) -> Planned:
        value = self._value(call)
        return Planned(
            before={"value": value}, undo=setting(call.target, value), summary=f"set {call.target}"
        )

    def apply(self, call: Call, *, before: Json, key: str) -> Applied:
        if call.target == self._refused:
            raise ConnectorError("refused", retry_after_s=3_600)
        return self._written(call, "apply", {before["value"], call.params["value"]})

    def verify(self, call: Call, *, before: Json, key: str) -> Seen:
        value = self._value(call)
        effects = {before["value"]: Effect.NOT_APPLIED, call.params["value"]: Effect.APPLIED}
        return Seen(effect=effects.get(value, Effect.OTHER), state={"value": value})

    def undo(self, call: Call, *, before: Json, key: str) -> Applied:
        return self._written(call, "undo", {"old", "new"})

    def close(self) -> None:
        self._redis.close()

    def _value(self, call: Call) -> str:
        return str(self._redis.get(call.target) or "old")

    def _written(self, call: Call, what: str, allowed: set[str]) -> Applied:
        try:
            with self._redis.pipeline() as writing:
                writing.watch(call.target)
                value = str(writing.get(call.target) or "old")
                if value not in allowed:
                    raise StateChanged(f"{call.target} is {value}")
                writing.multi()
                writing.set(call.target, call.params["value"])
                writing.rpush(EFFECTS, f"{what}:{call.target}")
                writing.execute()
        except redis.WatchError as error:
            raise StateChanged(f"{call.target} was changed") from error
        except redis.TimeoutError as error:
            raise OutcomeUnknown("the Redis gave no answer in time") from error
        except redis.ConnectionError as error:
            raise ConnectorError("the Redis cannot be reached") from error
        return Applied(detail="OK")


class Ending:
    """Ends this process at the point of a number, as the kernel ends one: at once."""

    def __init__(self, point: int) -> None:
        self._point = point
        self._passed = count(1)

    def at(self) -> None:
        if next(self._passed) == self._point:
            os.kill(os.getpid(), signal.SIGKILL)


class EndingJournal(GraphJournal):
    """Ends the process before or after a transaction."""

    ending = Ending(0)

    def change(
        self, repair: Repair, *drafts: AuditDraft, lease_until_ms: int | None = None
    ) -> Repair:
        self.ending.at()
        changed = super().change(repair, *drafts, lease_until_ms=lease_until_ms)
        self.ending.at()
        return changed


class EndingValues(RedisValues):
    """Ends the process before or after a call."""

    ending = Ending(0)

    def _written(self, call: Call, what: str, allowed: set[str]) -> Applied:
        self.ending.at()
        applied = super()._written(call, what, allowed)
        self.ending.at()
        return applied


@contextmanager
def opened(folder: Path, port: int, refused: str = "") -> Iterator[tuple[EndingJournal, Runner]]:
    graph, values = open_embedded(folder), EndingValues(port, refused)
    graph.ensure_schema()
    journal = EndingJournal(graph)
    try:
        yield (
            journal,
            Runner(journal, {"shelf": values}, now_ms=now_ms, sleep=time.sleep, patience=PATIENCE),
        )
    finally:
        values.close()
        graph.close()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def finished(journal: GraphJournal, runner: Runner) -> Repair:
    """Do what a process does at its start: recover, then run what waits."""
    recover(journal, runner, now_ms=now_ms, alone=True)
    if journal.get("r1").state is State.APPROVED:
        runner.run("r1", who="runner")
    return journal.get("r1")


def planned(journal: GraphJournal) -> None:
    plan = repair("r1", *STEPS).plan
    assert plan is not None
    if not journal.repairs():
        kept_approved(journal, replace(repair("r1"), plan=replace(plan, expires_ms=2**60)))


if __name__ == "__main__":
    with opened(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]) as (at, runs):
        planned(at)
        EndingJournal.ending = EndingValues.ending = Ending(int(os.environ["KILL_POINT"]))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        finished(at, runs)
