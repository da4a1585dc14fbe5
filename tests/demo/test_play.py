"""The watching of one fault, on a stage that plays what it is told to."""

from typing import cast

import pytest

from graphmind.demo.play import Script, act
from graphmind.demo.stage import Stage
from graphmind.demo.watching import Watch
from tests.demo.test_outcome import HEALTHY, SICK
from tests.demo.test_watching import incident, repair

TRUTH = {
    "causes": [["region:eu"]],
    "also": [],
    "level": "region",
    "harms": False,
    "actions": ["drain"],
}
RUN = {"incident_id": "inc-1", "started_ms": 1_500, "executed_ms": 2_000}


class Played:
    """A platform with one incident; its repair is judged at a given look."""

    def __init__(self, judged_at: int) -> None:
        self._judged_at, self._looks = judged_at, 0

    def must_live(self) -> None: ...

    def inject(self, fault: str):
        return {"since_ms": 1_000, "truth": TRUTH}

    def incidents(self):
        return [incident("region eu", confidence=0.97, onset_ms=1_000)]

    def repairs(self):
        self._looks += 1
        # The first look is for what was there before the fault.
        if self._looks == 1:
            return []
        if self._looks - 1 < self._judged_at:
            return [repair("verifying", **RUN)]
        return [repair("succeeded", **RUN, verdict="effective")]

    def refusals(self):
        return []

    def figures(self, from_ms: float, until_ms: float):
        return SICK if from_ms < 2_000 else HEALTHY


@pytest.mark.parametrize("judged_at", [1, 2, 3])
def test_the_verdict_that_ends_a_play_is_shown_and_timed(judged_at: int):
    shown: list[str] = []
    found = act(
        Script(fault="region-loss", patience_s=20),
        cast("Stage", Played(judged_at)),
        Watch(),
        lambda one: shown.append(one.kind),
        HEALTHY,
    )

    assert found.verdict == "effective"
    assert "verdict" in shown
    assert found.moments.verdict is not None
    assert found.seconds["executed_to_verdict"] is not None


class Waiting(Played):
    """A platform whose repair waits for people."""

    def __init__(self, confidence: float) -> None:
        super().__init__(judged_at=1)
        self._confidence, self.approved = confidence, False

    def incidents(self):
        return [incident("region eu", confidence=self._confidence, onset_ms=1_000)]

    def repairs(self):
        if self.approved:
            return super().repairs()
        return [repair("awaiting_approval", plan_hash="one", incident_id="inc-1")]

    def approve_and_run(self, waiting) -> bool:
        self.approved = waiting["plan_hash"] == "one"
        return self.approved


@pytest.mark.parametrize(("confidence", "approves"), [(0.97, True), (0.6, False)])
def test_people_read_a_plan_that_waits_and_approve_it_where_the_cause_is_sure(
    confidence: float, approves: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("graphmind.demo.play.READ_S", 0.2)
    stage, shown = Waiting(confidence), []
    act(
        Script(fault="region-loss", patience_s=3),
        cast("Stage", stage),
        Watch(),
        lambda one: shown.append(one.kind),
        HEALTHY,
    )

    assert stage.approved == approves
    assert ("approval" in shown) == approves
