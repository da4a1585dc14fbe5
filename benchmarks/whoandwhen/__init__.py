"""Failed runs of agents that work together: how often the agent and the step are named.

    python -m benchmarks whoandwhen

The published conversations lie in ``shared/data`` beside the checkout. No method sees a label, the
answer, or a run that succeeded; every method is told which participants are agents.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TypeAlias

from benchmarks.public.folder import DATA, present
from benchmarks.public.tables import print_shares
from benchmarks.whoandwhen.runs import SETS, Run, read_runs
from graphmind.analysis.localisation.conversation import (
    Turn,
    find_coordinators,
    localise_turns,
)

FOLDER = DATA / "whoandwhen"
PUBLISHED = "published: best of the paper's LLM judges, all 184 runs: agent 0.535, step 0.142"
"""Zhang et al., ICML 2025, arXiv 2505.00212, abstract."""
STEPS = (1, 4, 8, 12)
"""Constant steps that come first in some set: which one is only known from labels."""

Answer: TypeAlias = tuple[str, int]
"""Agent and step."""
Method: TypeAlias = Callable[[Sequence[Sequence[Turn]]], list[Answer]]


def main(arguments: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser(
        prog="whoandwhen", description=(__doc__ or "").splitlines()[0]
    ).parse_args(arguments)
    if not present(FOLDER):
        return 0
    found: dict[str, list[tuple[list[bool], list[bool]]]] = {name: [] for name in METHODS}
    for name in SETS:
        runs = read_runs(FOLDER, name)
        for method, answer in METHODS.items():
            found[method].append(_judge(answer([run.turns for run in runs]), runs))
        _report(f"whoandwhen {name}", {method: sets[-1] for method, sets in found.items()})
    both = {method: _join(sets) for method, sets in found.items()}
    _report("whoandwhen, both", both)
    print(PUBLISHED)
    return 0


def _judge(answers: Sequence[Answer], runs: Sequence[Run]) -> tuple[list[bool], list[bool]]:
    pairs = list(zip(answers, runs, strict=True))
    return (
        [agent == run.culprit for (agent, _), run in pairs],
        [step == run.step for (_, step), run in pairs],
    )


def _join(sets: Sequence[tuple[list[bool], list[bool]]]) -> tuple[list[bool], list[bool]]:
    agents, steps = zip(*sets, strict=True)
    return list(chain(*agents)), list(chain(*steps))


def _report(title: str, rows: dict[str, tuple[list[bool], list[bool]]]) -> None:
    print_shares(title, ("agent", "step"), rows)


def _ours(runs: Sequence[Sequence[Turn]]) -> list[Answer]:
    return [(next(iter(each.agents), ""), each.turn) for each in localise_turns(runs)]


def _each(choose: Callable[[Sequence[Turn]], int]) -> Method:
    """Answer with a turn and its speaker, run by run."""

    def answer(runs: Sequence[Sequence[Turn]]) -> list[Answer]:
        chosen = [(run, min(choose(run), len(run) - 1)) for run in runs]
        return [(run[step].speaker, step) for run, step in chosen]

    return answer


def _agent_turns(run: Sequence[Turn]) -> list[int]:
    return [n for n, turn in enumerate(run) if turn.kind == "agent"]


def _most_frequent(run: Sequence[Turn]) -> int:
    """Return the first turn of the agent that speaks most; of several, the first to speak."""
    turns = Counter(run[n].speaker for n in _agent_turns(run))
    return max(_agent_turns(run), key=lambda n: (turns[run[n].speaker], -n))


def _second_agent(run: Sequence[Turn]) -> int:
    """Return the first turn of another agent than the first to speak."""
    turns = _agent_turns(run)
    return next((n for n in turns if run[n].speaker != run[turns[0]].speaker), turns[0])


def _longest(run: Sequence[Turn]) -> int:
    return max(_agent_turns(run), key=lambda n: (len(run[n].text), -n))


def _coordinator(runs: Sequence[Sequence[Turn]]) -> list[Answer]:
    """Blame the coordinator where there is one, else the first agent."""
    leading = find_coordinators(runs)
    found = []
    for run in runs:
        turns = _agent_turns(run)
        step = next((n for n in turns if run[n].speaker in leading), turns[0])
        found.append((run[step].speaker, step))
    return found


METHODS: dict[str, Method] = {
    "localisation": _ours,
    "most frequent agent": _each(_most_frequent),
    "first agent": _each(lambda run: _agent_turns(run)[0]),
    "second agent to speak": _each(_second_agent),
    "last agent": _each(lambda run: _agent_turns(run)[-1]),
    "coordinator": _coordinator,
    "longest turn": _each(_longest),
    "last step": _each(lambda run: len(run) - 1),
    **{f"always step {step}": _each(lambda _, step=step: step) for step in STEPS},  # type: ignore[misc]  # bound
}
