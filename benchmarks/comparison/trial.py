"""All methods on the same windows, and the table of what they found."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import mean

from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.rivals.methods import RANKERS, UNCUT, UNTOLD, installed_rivals
from benchmarks.rivals.ranking import Rival
from benchmarks.rivals.view import view_all, view_before_symptom
from benchmarks.scoring import Found, Planted, adjusted_rand, is_right, rank_of, trace_labels
from graphmind.analysis.window import Window

OURS = "**graphmind**"
FAILURES_MIN = 10
"""Failing traces of a planted incident that counts as missed when not found (algorithms.md 10)."""
HEAD = (
    "| method | number of incidents | Acc@1 | Acc@3 | Acc@5 | precision | ARI | AMI "
    "| quiet windows with a report | CPU s |"
)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One window: what was planted, what each method found, and its processor time."""

    planted: tuple[Planted, ...]
    found: Mapping[str, Sequence[Found]]
    seconds: Mapping[str, float]


def run_trial(
    window: Window,
    trace_ids: list[str],
    planted: Sequence[Planted],
    ours: Callable[[], Sequence[Found]],
    more: Mapping[str, Rival],
) -> Trial:
    """Run ours and every rival on one window; ``more`` are rivals that need a server."""
    view = view_before_symptom(window, trace_ids)
    methods: dict[str, Callable[[], Sequence[Found]]] = {OURS: ours}
    for name, rival in (installed_rivals() | dict(more)).items():
        methods[name] = partial(rival, view, len(planted))
    uncut = partial(installed_rivals()[UNCUT], view_all(window, trace_ids), len(planted))
    methods[f"{UNCUT}, not cut at the symptom"] = uncut
    found, seconds = {}, {}
    for name, method in methods.items():
        began = time.process_time()
        found[name] = method()
        seconds[name] = time.process_time() - began
    return Trial(planted=tuple(planted), found=found, seconds=seconds)


def table(loud: Sequence[Trial], quiet: Sequence[Trial]) -> str:
    """Return the methods as rows of a Markdown table, ours first."""
    rule = "| --- | --- |" + " ---: |" * 8
    return "\n".join([HEAD, rule, *(_row(name, loud, quiet) for name in loud[0].found)])


def _row(name: str, loud: Sequence[Trial], quiet: Sequence[Trial]) -> str:
    scores = scores_of(name, loud)
    right, reports = _right(name, loud)
    shown = {measure: f"{value:.3f}" for measure, value in scores.items()}
    shown["precision"] += f" ({right}/{reports})"
    false = sum(bool(trial.found[name]) for trial in quiet)
    seconds = mean(trial.seconds[name] for trial in loud)
    cells = [name, _count(name), *shown.values(), f"{false} of {len(quiet)}", f"{seconds:.2f}"]
    return f"| {' | '.join(cells)} |"


def _count(name: str) -> str:
    """Say how a method knows how many incidents to report."""
    if name in UNTOLD:
        return "not told"
    return "told" if name.startswith(tuple(RANKERS)) else "finds"


def scores_of(name: str, loud: Sequence[Trial]) -> dict[str, float]:
    """Return every measure of accuracy, in the order of the table; higher is better."""
    ranks = [
        rank_of(incident, trial.found[name])
        for trial in loud
        for incident in trial.planted
        if len(incident.traces) >= FAILURES_MIN
    ]
    labels = [trace_labels(trial.planted, trial.found[name]) for trial in loud]
    right, reports = _right(name, loud)
    return {
        **{f"Acc@{limit}": mean(rank <= limit for rank in ranks) for limit in (1, 3, 5)},
        "precision": right / max(reports, 1),
        "ARI": mean(adjusted_rand(*each) for each in labels),
        "AMI": mean(adjusted_mutual_info_score(*each) for each in labels),
    }


def _right(name: str, loud: Sequence[Trial]) -> tuple[int, int]:
    """Count the reports that name a planted cause first, and all reports."""
    right = [is_right(report, trial.planted) for trial in loud for report in trial.found[name]]
    return sum(right), len(right)


def not_below(loud: Sequence[Trial]) -> list[str]:
    """Name the rivals that reach ours in a measure, and in which."""
    ours = scores_of(OURS, loud)
    lines = []
    for name in loud[0].found:
        reached = [
            f"{measure} {value:.3f}"
            for measure, value in scores_of(name, loud).items()
            if name != OURS and value >= ours[measure]
        ]
        if reached:
            lines.append(f"{name} ({', '.join(reached)})")
    return lines
