"""A trace whose every step takes longer is slow, though one long step hides it in the total."""

import numpy as np

from tests.builders import Row, facts, in_trace, span

STEPS = 14
TOOLS = ("ocr", "search")


def trace(name: str, random: np.random.Generator, *, factor: float = 1.0) -> list[Row]:
    """Return a long step that varies much, and short ones that vary little."""
    lengths = [1000 * random.lognormal(0, 0.7), *(10 * random.lognormal(0, 0.25, STEPS))]
    rows, now = [], 0.0
    for number, length in enumerate(lengths):
        rows.append(span(f"step{number}", now, now + factor * length, parent="root"))
        now += factor * length
    return in_trace(name, [span("root", 0, now), *rows])


def slow(rows: list[Row]) -> set[str]:
    found = facts(rows).symptoms.to_pylist()
    return {row["trace_id"] for row in found if row["kind"] == "slow"}


def test_a_trace_whose_every_step_takes_longer_is_slow():
    random = np.random.default_rng(1)
    rows = [row for n in range(80) for row in trace(f"t{n}", random)]

    assert "late" in slow(rows + trace("late", random, factor=2.2))


def test_few_ordinary_traces_are_slow():
    random = np.random.default_rng(2)
    rows = [row for n in range(200) for row in trace(f"t{n}", random)]

    assert len(slow(rows)) <= 2


def test_a_step_is_held_against_its_own_tool():
    """One tool takes a hundred times as long as the other under the same span name."""
    random = np.random.default_rng(3)
    rows: list[Row] = []
    for n in range(120):
        tool, usual = (TOOLS[n % 2], (10, 1000)[n % 2])
        length = usual * random.lognormal(0, 0.1) * (3 if n == 4 else 1)
        call = span("call", 0, length, parent="root", attributes={"gen_ai.tool.name": tool})
        rows += in_trace(f"t{n}", [span("root", 0, length), call])

    assert slow(rows) == {"t4"}


def test_a_version_that_is_slow_from_its_first_call_on_is_no_measure_of_itself():
    random = np.random.default_rng(4)
    rows: list[Row] = []
    for n in range(120):
        late = n >= 105
        length = 1000 * random.lognormal(0, 0.1) * (4 if late else 1)
        model = {
            "gen_ai.request.model": "atlas",
            "gen_ai.response.model": f"atlas-{1 + late}",
        }
        call = span("call", 0, length, parent="root", attributes=model)
        rows += in_trace(f"t{n}", [span("root", 0, length), call])

    assert slow(rows) == {f"t{n}" for n in range(105, 120)}
