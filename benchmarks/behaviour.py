"""Trace behaviour on simulated windows: how well a score without labels finds what was planted.

    python -m benchmarks behaviour [--seeds 10] [--traces 4000] [--incidents 3]

Each window plants the next kinds of incident in turn. Every detector learns from every second trace
and is judged on the others: once with what is known of failures (it learns from healthy traces),
once with errors and statuses removed (it learns from all). AUC and average precision are of the
traces of a planted kind against those that nothing went wrong with. Clusters are compared with the
incidents planted, beside the shared-cause method on the same window. Exit code 0: these are
measurements, not bounds.
"""

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from sklearn.metrics import (
    adjusted_mutual_info_score,
    average_precision_score,
    roc_auc_score,
)

from benchmarks.planted import found_from, planted_from, read_facts
from benchmarks.scoring import Found, Planted, adjusted_rand, rank_of
from graphmind.analysis.behaviour.clusters import Centres, Density
from graphmind.analysis.behaviour.detectors import Clusterer, Detector, fit_trimmed
from graphmind.analysis.behaviour.groups import directions
from graphmind.analysis.behaviour.model import SPREAD_MIN, train
from graphmind.analysis.behaviour.origin import find_origins
from graphmind.analysis.behaviour.pooling import pool_all
from graphmind.analysis.behaviour.reconstruction import Autoencoder, PrincipalComponents
from graphmind.analysis.behaviour.spans import SPAN_COLUMNS, Traces, read_traces
from graphmind.analysis.behaviour.structure import embed
from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Selection
from graphmind.errors import SettingsError
from graphmind.jobs.analyze import examine
from graphmind.settings import Settings
from graphmind.simulation.files import SPANS_FILE, write
from graphmind.simulation.incidents import INCIDENT_KINDS
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import Simulation, simulate
from graphmind.telemetry.assembly import assemble
from graphmind.telemetry.grouped import Floats
from graphmind.telemetry.tree import Bools, Ints

DETECTORS: Final[Mapping[str, Detector]] = {
    "pca": PrincipalComponents(),
    "autoencoder": Autoencoder(),
    "kmeans": Centres(),
    "dbscan": Density(),
}
WL_WIDTH: Final = 64
"""Columns of each round; more make PCA slower and no better."""
ALL: Final = "all kinds"


@dataclass(frozen=True, kw_only=True)
class Window:
    """One simulated window, and the truth about its traces."""

    traces: Traces
    modules: list[str | None]
    healthy: Bools
    """Known to be: clean, and ok by their facts."""
    planted: tuple[Planted, ...]
    root_modules: tuple[str | None, ...]
    found: tuple[Found, ...]
    """What the shared-cause method reports."""
    untouched: Bools
    """Nothing went wrong with them, neither planted nor of their own accord."""
    mended: Bools

    def among(self, trace_ids: frozenset[str]) -> Bools:
        """Return which traces these are."""
        return np.array([own in trace_ids for own in self.traces.trace_ids.to_pylist()], bool)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="behaviour", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--traces", type=int, default=4000)
    parser.add_argument("--incidents", type=int, default=3)
    given = parser.parse_args(arguments)
    tally = Tally()
    for seed in range(1, given.seeds + 1):
        window = make_window(planned(seed, given.traces, given.incidents))
        score_window(window, tally, labels="known")
        score_window(hidden(window), tally, labels="hidden")
        cluster_window(window, tally)
        print(f"\r{seed}/{given.seeds}", end="", file=sys.stderr)
    print(file=sys.stderr)
    tally.report()
    return 0


# ------------------------------------------------------------------------------------- the window


def planned(seed: int, traces: int, incidents: int) -> Simulation:
    """Plan a window with the next kinds in turn; kinds that find no target are left to chance."""
    kinds = tuple(INCIDENT_KINDS)
    first = (seed - 1) * incidents % len(kinds)
    own = (kinds + kinds)[first : first + incidents]
    scenario = Scenario(seed=seed, traces=traces, incidents=incidents, kinds=own)
    try:
        return simulate(scenario)
    except SettingsError:
        return simulate(replace(scenario, kinds=None))


def make_window(simulation: Simulation) -> Window:
    """Simulate, load, settle and examine as the product does."""
    with tempfile.TemporaryDirectory() as folder:
        truth = write(simulation, Path(folder))
        settings = Settings(data_dir=Path(folder) / "store")
        facts = read_facts(Path(folder) / SPANS_FILE, settings)
        with DuckArchive(settings.data_dir) as archive:
            spans = assemble(archive.spans(Selection()))
    _, incidents, _ = examine(facts, settings)
    outcome = facts.traces.filter(pa.compute.equal(facts.traces["outcome"], "ok"))["trace_id"]
    return _window(spans, truth, incidents, frozenset(outcome.to_pylist()))


def _window(
    spans: pa.Table, truth: dict[str, Any], incidents: list[dict[str, Any]], ok: frozenset[str]
) -> Window:
    traces = read_traces(spans)
    planted = tuple(planted_from(incident) for incident in truth["incidents"])
    struck = frozenset[str]().union(*(own.traces for own in planted))
    mended = frozenset[str]().union(*(own.mended for own in planted)) - struck
    touched = struck | mended | frozenset(truth["failed_naturally"])
    window = Window(
        traces=traces,
        modules=spans["module"].to_pylist(),
        healthy=traces.clean,
        planted=planted,
        root_modules=tuple(incident["root_module"] for incident in truth["incidents"]),
        found=tuple(found_from(incident) for incident in incidents if incident["causes"]),
        untouched=np.zeros(0, bool),
        mended=np.zeros(0, bool),
    )
    return replace(
        window,
        healthy=traces.clean & window.among(ok),
        untouched=~window.among(touched),
        mended=window.among(mended),
    )


def hidden(window: Window) -> Window:
    """Remove errors, codes and statuses; what was struck may as well be healthy."""
    vectors = window.traces.vectors.copy()
    vectors[:, [SPAN_COLUMNS.index(name) for name in ("has_error", "error_code_hash")]] = 0.0
    traces = replace(window.traces, vectors=vectors)
    return replace(window, traces=traces, healthy=np.ones(traces.count, bool))


# ------------------------------------------------------------------------------------- the scores


def score_window(window: Window, tally: "Tally", *, labels: str) -> None:
    """Let every detector learn from healthy traces and score others."""
    traces = window.traces
    learning = np.arange(traces.count) % 2 == 0
    judged = ~learning
    pooled = pool_all(traces.vectors, traces.first)
    spaces = dict.fromkeys(DETECTORS, pooled)
    spaces["pca, WL"] = np.log1p(embed(traces.labels, traces.trace, traces.count, WL_WIDTH))
    spaces["pca, both"] = np.hstack([pooled, spaces["pca, WL"]])
    for name, space in spaces.items():
        detector = DETECTORS[name.partition(",")[0]]
        began = time.process_time()
        vectors = standardised(space, window.healthy & learning)
        learnt = fit_trimmed(detector, vectors[window.healthy & learning])
        scores = detector.score(learnt, vectors)
        tally.seconds[labels, name].append(time.process_time() - began)
        judge(window, scores, judged, tally, (labels, name))
    began = time.process_time()
    model = train(traces, window.healthy & learning, trained_ms=0)
    anomalous = model.score(traces).scores >= 1
    tally.seconds[labels, "product"].append(time.process_time() - began)
    struck = window.among(frozenset().union(*(own.traces for own in window.planted)))
    tally.flagged[labels].append(
        (np.mean(anomalous[struck & judged]), np.mean(anomalous[window.untouched & judged]))
    )


def standardised(vectors: Floats, healthy: Bools) -> Floats:
    spread = np.maximum(vectors[healthy].std(axis=0), SPREAD_MIN)
    standard: Floats = (vectors - vectors[healthy].mean(axis=0)) / spread
    return standard


def judge(
    window: Window, scores: Floats, judged: Bools, tally: "Tally", key: tuple[str, str]
) -> None:
    untouched = window.untouched & judged
    every = np.zeros(len(scores), bool)
    for own in window.planted:
        struck = window.among(own.traces) & judged
        every |= struck
        tally.add(key, own.kind, scores, struck, untouched)
    tally.add(key, ALL, scores, every, untouched)


# ----------------------------------------------------------------------------------- the clusters


def cluster_window(window: Window, tally: "Tally") -> None:
    """Cluster what was struck or is anomalous; compare with the incidents planted."""
    model = train(window.traces, window.healthy, trained_ms=0)
    scored = model.score(window.traces)
    truth = np.zeros(window.traces.count, np.int64)
    for number, own in enumerate(window.planted, 1):
        truth[window.among(own.traces)] = number
    members = np.flatnonzero(((truth > 0) | (scored.scores >= 1)) & ~window.mended)
    traces = window.traces
    shape = np.sqrt(embed(traces.labels, traces.trace, traces.count, WL_WIDTH))
    vectors = (pool_all(traces.vectors, traces.first) - model.centre) / model.spread
    spaces = {
        "what is unusual": directions(scored.residuals)[members],
        "trace vectors": vectors[members],
        "WL embedding": directions(shape)[members],
    }
    methods: tuple[Clusterer, ...] = (Centres(), Density())
    for space, values in spaces.items():
        for method in methods:
            label = method.label(method.fit(values), values)
            tally.compare(f"{method.name}, {space}", truth[members], label)
    shared = np.full(traces.count, -1)
    for number, report in reversed(list(enumerate(window.found))):
        shared[window.among(report.traces)] = number
    tally.compare("shared cause", truth[members], shared[members])
    tally.ranks += [rank_of(own, window.found) for own in window.planted]
    for own, module in zip(window.planted, window.root_modules, strict=True):
        if module is not None:
            origin = find_origins(traces, scored, window.among(own.traces))
            right = [window.modules[span] == module for span in origin.span.tolist()]
            tally.roots[own.kind].append(float(np.mean(right)))


# ------------------------------------------------------------------------------------- the tables


class Tally:
    """What was measured over all windows."""

    def __init__(self) -> None:
        self.areas: defaultdict[tuple[str, str, str], list[tuple[float, float]]] = defaultdict(list)
        self.seconds: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        self.flagged: defaultdict[str, list[tuple[Any, Any]]] = defaultdict(list)
        self.clusters: defaultdict[str, list[tuple[float, float, int]]] = defaultdict(list)
        self.roots: defaultdict[str, list[float]] = defaultdict(list)
        self.ranks: list[int] = []

    def add(
        self, key: tuple[str, str], kind: str, scores: Floats, struck: Bools, untouched: Bools
    ) -> None:
        """Note how well scores tell what was struck from what was untouched."""
        if not struck.any():
            return
        judged = struck | untouched
        truth, given = struck[judged], scores[judged]
        area = float(roc_auc_score(truth, given)), float(average_precision_score(truth, given))
        self.areas[*key, kind].append(area)

    def compare(self, method: str, truth: Ints, label: Ints) -> None:
        """Note how well clusters agree with what was planted."""
        agreement = adjusted_rand(truth.tolist(), label.tolist())
        information = float(adjusted_mutual_info_score(truth, label))
        self.clusters[method].append((agreement, information, len(set(label.tolist()) - {-1})))

    def report(self) -> None:
        """Print means over the windows."""
        for labels in ("known", "hidden"):
            self._areas(labels)
        print(f"\n{'clusters':28} {'ARI':>6} {'AMI':>6} {'clusters':>9}")
        for method, own in self.clusters.items():
            agreement, information, count = np.mean(own, axis=0)
            print(f"{method:28} {agreement:6.2f} {information:6.2f} {count:9.1f}")
        first = np.mean([rank == 1 for rank in self.ranks])
        print(f"\ncauses named first: shared cause {first:.2f}, behaviour none: it names no cause")
        print("\nroot span in the module planted, by kind")
        for kind, shares in sorted(self.roots.items()):
            print(f"  {kind:20} {np.mean(shares):5.2f}")

    def _areas(self, labels: str) -> None:
        names = [name for own, name in self.seconds if own == labels and name != "product"]
        kinds = sorted({kind for own, _, kind in self.areas if own == labels} - {ALL})
        print(f"\nlabels {labels}: AUC, average precision")
        print(f"{'kind':20} " + " ".join(f"{name:>15}" for name in names))
        for kind in (*kinds, ALL):
            cells = (np.mean(self.areas[labels, name, kind], axis=0) for name in names)
            print(f"{kind:20} " + " ".join(f"{area:9.2f} {own:5.2f}" for area, own in cells))
        seconds = (f"{np.mean(self.seconds[labels, name]):15.2f}" for name in names)
        print(f"{'CPU s a window':20} " + " ".join(seconds))
        found, false = np.mean(self.flagged[labels], axis=0)
        cpu_s = np.mean(self.seconds[labels, "product"])
        print(f"score >= 1: {found:.2f} of what was struck, {false:.3f} of the untouched", end="")
        print(f"; learning and scoring {cpu_s:.2f} CPU s a window")


if __name__ == "__main__":
    sys.exit(main())
