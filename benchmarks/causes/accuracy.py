"""How often the methods are right, on the same windows."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

import numpy as np

from benchmarks.causes.methods import METHODS, Method, Report, Saved, present, saved
from benchmarks.scoring import adjusted_rand

FAILURES_MIN = 10
"""A planted cause with fewer failures is not asked for (algorithms.md section 10)."""
BINS = 10


@dataclass(frozen=True, kw_only=True)
class Score:
    """How one method did on one window."""

    ranks: list[int]
    """Of each planted cause with enough failures; 99 if it is not named."""
    right: list[bool]
    """Of each report that names a cause."""
    confidence: list[float]
    agreement: float
    """Adjusted Rand index over all failing traces, those of no cause a group of their own."""
    silent: bool
    seconds: float


def compare_accuracy(seeds: int, large_seeds: int, quiet: int) -> None:
    """Print right causes, right groups and calibration by world, size and method."""
    print(
        f"\n{'world':8} {'strengths':9} {'traces':>7} {'windows':>7} {'method':10} {'Acc@1':>6} ",
        end="",
    )
    print(f"{'Acc@3':>6} {'precision':>17} {'ARI':>6} {'ECE':>6} {'seconds':>8}")
    for world in ("plain", "mixture"):
        for size, windows, share in (
            (10_000, seeds, 1.0),
            (100_000, large_seeds, 1.0),
            (100_000, large_seeds, 0.1),
        ):
            for spread in (0.0, 0.8):
                scores = [
                    scored(drawn(world, seed, size, spread, share)) for seed in range(windows)
                ]
                strengths = ("sd .8" if spread else "one") + (" 1/10" if share < 1 else "")
                for method in scores[0] if scores else ():
                    line = summary([score[method] for score in scores])
                    print(f"{world:8} {strengths:9} {size:7} {windows:7} {method:10} {line}")
    for world in ("plain", "mixture"):
        scores = [scored(drawn(world, seed, 10_000, 0, 1, quiet=True)) for seed in range(quiet)]
        for method in scores[0] if scores else ():
            spoke = sum(not score[method].silent for score in scores)
            print(f"{world}, nothing planted: {method} reports in {spoke} of {quiet} windows")


def drawn(
    world: str, seed: int, size: int, spread: float, share: float, *, quiet: bool = False
) -> Any:
    """Draw a window and its truth; a share of its healthy traces is kept, with weights."""
    from benchmarks.mixture import plant_mixture  # noqa: PLC0415 - not in the measured processes
    from tests.analysis.planted import plant  # noqa: PLC0415

    if world == "mixture":
        return plant_mixture(seed, n=size, heterogeneity=spread, keep_healthy=share, quiet=quiet)
    causes = 0 if quiet else 4
    return plant(seed, n=size, causes=causes, heterogeneity=spread, keep_healthy=share)


def scored(truth: Any) -> dict[str, Score]:
    """Score every method on one window."""
    arrays = saved(truth.window)
    return {name: score(truth, METHODS[name](), arrays) for name in present()}


def score(truth: Any, method: Method, arrays: Saved) -> Score:
    """Run one method and hold what it reports to what was planted."""
    window = method.window(arrays)
    began = time.process_time()
    reports = method.reports(window)
    seconds = time.process_time() - began
    named = [report for report in reports if report.names]
    return Score(
        ranks=[
            rank(truth.causes[number], np.flatnonzero(truth.caused == number), named)
            for number in range(len(truth.causes))
            if (truth.caused == number).sum() >= FAILURES_MIN
        ],
        right=[bool(report.names[0] & set(truth.causes)) for report in named],
        confidence=[report.confidence for report in named],
        agreement=agreement(truth.caused, named, arrays["failing"]),
        silent=not reports,
        seconds=seconds,
    )


def rank(items: tuple[int, ...], rows: np.ndarray, reports: list[Report]) -> int:
    """Return the best rank that a report of the cause's traces gives it, 99 if none does."""
    ranks = [
        place
        for report in reports
        if np.isin(report.rows, rows).any()
        for place, tied in enumerate(report.names, 1)
        if items in tied
    ]
    return min(ranks, default=99)


def agreement(caused: np.ndarray, reports: list[Report], failing: np.ndarray) -> float:
    label = np.full(len(caused), -1)
    for number, report in reversed([*enumerate(reports)]):
        label[report.rows] = number
    return adjusted_rand(caused[failing].tolist(), label[failing].tolist())


def summary(scores: Sequence[Score]) -> str:
    ranks = np.array([rank for score in scores for rank in score.ranks])
    right = np.array([right for score in scores for right in score.right])
    confidence = np.array([value for score in scores for value in score.confidence])
    precision = f"{right.mean():.3f} ({right.sum()}/{len(right)})"
    return (
        f"{(ranks <= 1).mean():6.3f} {(ranks <= 3).mean():6.3f} {precision:>17}"
        f" {mean(score.agreement for score in scores):6.3f}"
        f" {calibration_error(confidence, right):6.3f}"
        f" {mean(score.seconds for score in scores):8.2f}"
    )


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Return the expected calibration error over bins of confidence, weighted by reports."""
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    said, was = (np.bincount(place, values, BINS) for values in (confidence, right))
    return float(np.abs(said - was).sum() / max(len(right), 1))
