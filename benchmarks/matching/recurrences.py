"""Whether incidents of simulated windows are recognised when they happen again elsewhere.

Each window has an archive, a platform and ids of its own; only the library is carried from one to
the next, as an export. Incidents are the same if they are of the same kind, class of cause, symptom
and error code. An incident is the planted one that hit most of its traces, whatever it is called;
those of which that is true of none take no part.
"""

import io
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphmind_loaders import otlp_json

from benchmarks.planted import planted_from
from benchmarks.scoring import Found, is_part
from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Archive, Selection
from graphmind.incidents.incident import Item
from graphmind.jobs.analyze import examine
from graphmind.jobs.library import export_library, import_library, remember
from graphmind.jobs.load import load
from graphmind.jobs.settle import settle
from graphmind.jobs.window import with_lineage
from graphmind.matching.names import cause_class
from graphmind.matching.verdict import NEW, SEEN, SIMILAR, Verdict
from graphmind.settings import Settings
from graphmind.simulation.files import SPANS_FILE, write
from graphmind.simulation.incidents import Planted
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolver_table import default_table

Truth = tuple[str, ...]
"""What makes two incidents the same."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """An incident with the verdict on it."""

    seed: int
    truth: Truth
    """Kind, class of cause, symptom, error code."""
    verdict: str
    score: float
    match: Truth | None
    """What the best match truly was; None without one."""
    corroborated: bool
    recurs: bool
    """The library holds the same."""


def run_windows(seeds: Sequence[int], traces: int, incidents: int) -> list[Judged]:
    """Simulate the windows one after another; judge each incident by those before."""
    library, truths, judged = b"", dict[str, Truth](), list[Judged]()
    for seed in seeds:
        scenario = Scenario(seed=seed, traces=traces, incidents=incidents)
        with DuckArchive(None) as archive:
            named = _load(archive, scenario)
            if library:
                import_library(io.BytesIO(library), archive)
            found = _examined(archive)
            archive.save_incidents("analysis", found)
            verdicts = remember(archive, found)
            own = _truths(found, named)
            judged += [_judged(seed, own[name], verdicts[name], truths) for name in sorted(own)]
            truths |= own
            carried = io.BytesIO()
            export_library(archive, carried, origin=f"window {seed}")
            library = carried.getvalue()
        print(f"\rwindow {seed}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return judged


def _load(archive: Archive, scenario: Scenario) -> list[tuple[dict[str, Any], Planted]]:
    """Load and settle a simulated window; return the truth with what was planted."""
    simulation, rejected = simulate(scenario), Rejections()
    with tempfile.TemporaryDirectory() as folder:
        truth = write(simulation, Path(folder))
        with (Path(folder) / SPANS_FILE).open("rb") as stream:
            batches = otlp_json.read(stream, rejected)
            table, now_ns = default_table(), time.time_ns()
            load(batches, archive, Settings(), table=table, rejected=rejected, now_ns=now_ns)
    settle(archive, Settings(), rejected)
    return list(zip(truth["incidents"], simulation.incidents, strict=True))


def _examined(archive: Archive) -> list[dict[str, Any]]:
    """Return the incidents of everything the archive holds."""
    return examine(with_lineage(archive.facts(Selection())), Settings())[1]


def _truths(
    found: Sequence[dict[str, Any]], named: Sequence[tuple[dict[str, Any], Planted]]
) -> dict[str, Truth]:
    """Return what each incident truly is, of those that are a planted one."""
    return {
        incident["incident_id"]: _truth(planted)
        for incident in found
        for truth, planted in named
        if is_part(
            Found(explanations=(), traces=frozenset(incident["trace_ids"])), [planted_from(truth)]
        )
    }


def _truth(planted: Planted) -> Truth:
    items = tuple(Item(kind=kind, name=name) for kind, name in planted.all_of)
    code = planted.code if planted.symptom in ("error", "storm") else ""
    return planted.kind, cause_class(items) or "", planted.symptom, code


def _judged(seed: int, truth: Truth, verdict: Verdict, truths: dict[str, Truth]) -> Judged:
    best = verdict.matches[0] if verdict.matches else None
    return Judged(
        seed=seed,
        truth=truth,
        verdict=verdict.verdict,
        score=best.score if best else 0.0,
        match=truths.get(best.incident_id) if best else None,
        corroborated=best.corroborated if best else False,
        recurs=truth in truths.values(),
    )


def report(judged: Sequence[Judged], *, each: bool) -> None:
    """Print how incidents that happened before, and those that did not, were judged."""
    print(f"\n{'incidents':34} {'count':>5} {SEEN:>12} {SIMILAR:>8} {NEW:>5} {'recall@1':>9} S10")
    kinds = {
        "happened before": [j for j in judged if j.recurs],
        "new, the kind happened before": [j for j in judged if not j.recurs and _known(j, judged)],
        "new kind": [j for j in judged if not j.recurs and not _known(j, judged)],
    }
    for name, own in kinds.items():
        words = [sum(j.verdict == word for j in own) for word in (SEEN, SIMILAR, NEW)]
        right = sum(j.match == j.truth for j in own) / len(own) if own and own[0].recurs else None
        recall = "" if right is None else f"{right:.3f}"
        print(
            f"{name:34} {len(own):5} {words[0]:12} {words[1]:8} {words[2]:5} {recall:>9} "
            f"{sum(j.corroborated for j in own):3}"
        )
    for j in judged if each else ():
        what = "the same" if j.match == j.truth else j.match
        print(
            f"{j.seed}: {j.truth} {'again' if j.recurs else ''}: {j.verdict} {j.score:.2f} {what}"
        )


def _known(one: Judged, judged: Sequence[Judged]) -> bool:
    """Whether an earlier window had an incident of the kind."""
    return any(other.seed < one.seed and other.truth[0] == one.truth[0] for other in judged)
