"""One play: a healthy platform, a fault, and what graphmind does about it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from graphmind.demo.outcome import Moments, Outcome, Progress, Truth
from graphmind.demo.processes import ended_by_sigterm
from graphmind.demo.stage import APPROVERS, Props, Stage, Tell, must_know, set_up
from graphmind.demo.watching import Happening, Json, Watch

LOOK_EVERY_S: Final = 0.5
REFUSALS_EVERY_S: Final = 5.0
QUIET_S: Final = 90.0
"""Where nothing is to be repaired, that long is waited for a repair that should not be (chosen:
three times as long as the slowest fault took to be found)."""
GRACE_S: Final = 2.0
"""What was sent so soon after a repair may still have met the fault."""
SETTLING_S: Final = 5.0
"""The last tasks are not answered yet: they are left out of the figures."""
READ_S: Final = 5.0
"""People take so long to read a plan that waits for them (chosen)."""
SURE: Final = 0.9
"""They approve it where the cause is that sure (chosen: as the strategies ask by themselves)."""
BETWEEN_S: Final = 45.0
"""Before a fault comes again: the incident of the first is over by then (chosen)."""
Show = Callable[[Happening], None]


@dataclass(frozen=True, kw_only=True)
class Script:
    """What is to be played."""

    fault: str
    seed: int = 0
    rate: float = 20.0
    healthy_s: float = 60.0
    """Before the fault: what is usual is learnt."""
    patience_s: float = 600.0
    """After the fault: then the play is over whatever came of it."""
    again: bool = False
    """Once healed, the same fault comes a second time."""
    stand_ins: bool = False
    folder: Path | None = None
    """Where stores and logs are kept; None: nowhere, once it is over."""


def play(script: Script, tell: Tell, show: Show) -> list[Outcome]:
    """Play it and return what came of each fault. ``tell`` takes lines, ``show`` what happens.

    Raises DemoError for an unknown fault, and where a part cannot be started, or ends.
    """
    must_know(script.fault)
    with (
        ended_by_sigterm(),
        _folder(script) as folder,
        set_up(_props(script, folder), tell) as stage,
    ):
        tell(f"all is well: {script.rate:g} tasks/s for {script.healthy_s:g} s; API {stage.api}")
        healthy_from_ms = _now_ms() + round(SETTLING_S * 1000)
        watch = Watch()
        _look_until(stage, watch, show, time.monotonic() + script.healthy_s)
        healthy = stage.figures(healthy_from_ms, _now_ms() - SETTLING_S * 1000)
        outcomes = [act(script, stage, watch, show, healthy)]
        if script.again:
            tell(f"the world is put right; after {BETWEEN_S:g} s the same fault comes again")
            stage.clear(script.fault)
            _look_until(stage, watch, show, time.monotonic() + BETWEEN_S)
            outcomes.append(act(script, stage, watch, show, healthy))
        whole = "whole" if stage.trail_is_whole() else "BROKEN"
        tell(f"the audit trail is {whole}")
        return outcomes


def act(script: Script, stage: Stage, watch: Watch, show: Show, healthy: Json) -> Outcome:
    """Bring the fault about, watch until it is healed or patience ends, and say what came of it."""
    known = frozenset(str(each["repair_id"]) for each in stage.repairs())
    told_before = len(watch.named)
    injected = stage.inject(script.fault)
    truth = Truth.of(injected["truth"])
    since_ms = round(injected["since_ms"])
    what = ", ".join(truth.causes) or "nothing that is to blame"
    text = f"{script.fault} injected; to blame: {what}"
    show(Happening(at_ms=since_ms, kind="fault", text=text))
    progress, seen = Progress(truth=truth, known=known), _Seen()
    began_s = time.monotonic()
    patience_s = script.patience_s if truth.repairs else QUIET_S
    while not progress.is_done and time.monotonic() < began_s + patience_s:
        happenings, incidents, repairs = _look(stage, watch, show)
        seen.take(happenings, incidents)
        for repair in seen.read_through(incidents, repairs):
            if stage.approve_and_run(repair):
                text = f"{' and '.join(APPROVERS)} read and approved {repair['repair_id']}"
                show(Happening(at_ms=_now_ms(), kind="approval", text=text))
        progress.look(repairs)
        if not truth.repairs and progress.begun:
            patience_s = script.patience_s
        time.sleep(LOOK_EVERY_S)
    named = watch.named[told_before:]
    moments = _moments(since_ms, progress.begun, seen, stage)
    return Outcome(
        fault=script.fault,
        seed=script.seed,
        truth=truth,
        repairs=progress.begun,
        named=named,
        moments=moments,
        healthy=healthy,
        **_figures(stage, moments),
        refusals=[str(each["summary"]) for each in stage.refusals()],
        traces_when_named=seen.traces_when_named,
    )


class _Seen:
    """Moments that only who looks on knows."""

    def __init__(self) -> None:
        self.by_kind: dict[str, list[int]] = {}
        self.traces_when_named: int | None = None
        self._reading_since_s: dict[str, float] = {}

    def read_through(self, incidents: Sequence[Json], repairs: Sequence[Json]) -> list[Json]:
        """Return the plans that wait for people, of a cause that is sure, once they are read."""
        sure = {one["incident_id"] for one in incidents if (one["confidence"] or 0) >= SURE}
        now_s = time.monotonic()
        waiting = [
            each
            for each in repairs
            if each["state"] == "awaiting_approval" and each["incident_id"] in sure
        ]
        since_s = {
            each["plan_hash"]: self._reading_since_s.get(each["plan_hash"], now_s)
            for each in waiting
        }
        self._reading_since_s = since_s
        return [each for each in waiting if now_s - since_s[each["plan_hash"]] >= READ_S]

    def take(self, happenings: Sequence[Happening], incidents: Sequence[Json]) -> None:
        for one in happenings:
            self.by_kind.setdefault(one.kind, []).append(one.at_ms)
        if self.traces_when_named is None and "cause" in self.by_kind:
            self.traces_when_named = max((each["trace_count"] for each in incidents), default=None)

    def first(self, kind: str) -> int | None:
        return min(self.by_kind.get(kind, ()), default=None)

    def last(self, kind: str) -> int | None:
        return max(self.by_kind.get(kind, ()), default=None)


def _look_until(stage: Stage, watch: Watch, show: Show, end_s: float) -> None:
    while time.monotonic() < end_s:
        _look(stage, watch, show)
        time.sleep(LOOK_EVERY_S)


def _look(stage: Stage, watch: Watch, show: Show) -> tuple[list[Happening], list[Json], list[Json]]:
    """Look once, and show what is new; return it with the incidents and repairs it was seen in.

    Who decides by them that the play is over decides by what was shown.
    """
    stage.must_live()
    incidents: list[Json] = list(stage.incidents())
    repairs: list[Json] = list(stage.repairs())
    found = watch.look(_now_ms(), incidents, repairs)
    found += watch.refused(_now_ms(), stage.refusals())
    for one in found:
        show(one)
    return found, incidents, repairs


def _moments(since_ms: int, begun: Sequence[Json], seen: _Seen, stage: Stage) -> Moments:
    repaired = {each["incident_id"] for each in begun}
    onsets = [each["onset_ms"] for each in stage.incidents() if each["incident_id"] in repaired]
    executed = [each["executed_ms"] for each in begun if each["executed_ms"] is not None]
    return Moments(
        injected=since_ms,
        first_failing=max(min(onsets), since_ms) if onsets else None,
        opened=seen.first("incident"),
        executed=max(executed, default=None),
        recovering=seen.last("recovering"),
        verdict=seen.last("verdict"),
    )


def _figures(stage: Stage, moments: Moments) -> dict[str, Any]:
    """Return what customers saw from the fault to the repair, and since."""
    end_ms = _now_ms() - SETTLING_S * 1000
    begun_ms = moments.first_failing or moments.injected
    if moments.executed is None:
        return {"before": stage.figures(begun_ms, end_ms), "after": {}}
    return {
        "before": stage.figures(begun_ms, moments.executed),
        "after": stage.figures(moments.executed + GRACE_S * 1000, end_ms),
    }


@contextmanager
def _folder(script: Script) -> Iterator[Path]:
    if script.folder is not None:
        script.folder.mkdir(parents=True, exist_ok=True)
        yield script.folder.resolve()
        return
    with TemporaryDirectory(prefix="graphmind-demo-") as folder:
        yield Path(folder)


def _props(script: Script, folder: Path) -> Props:
    return Props(folder=folder, seed=script.seed, rate=script.rate, stand_ins=script.stand_ins)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
