"""Along which modules traces go wrong most often (S37)."""

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from graphmind.analysis.courses import Path, module_paths
from graphmind.archive.port import Archive, Selection
from graphmind.archive.tallies import Stretch
from graphmind.telemetry.assembly import assemble

DEPTH_MAX: Final = 12
"""Modules of a path (chosen)."""
TRACES_MAX: Final = 5_000
"""Traces read of those that failed, and of those that did not: shares to 2 % (chosen)."""
FAILING_MIN: Final = 3.0
LIFT_MIN: Final = 1.2
"""How much likelier traces of a path fail than all of the time, at least (chosen)."""
MS_NS: Final = 1_000_000
Row = dict[str, Any]
Floats = NDArray[np.float64]


def frequent_failing_paths(
    archive: Archive, *, since_ms: int, until_ms: int, limit: int = 20
) -> list[Row]:
    """Return the paths of modules on which more traces failed than elsewhere, most excess first.

    Of traces that began in ``since_ms <= start < until_ms``: ``path`` (modules from the root),
    ``failing`` and ``passed`` (traces that went it, as weights estimate) and ``lift`` (its failing
    share over that of all). A path whose traces all went on the same way is told by the longer one.
    """
    stretch = Stretch(from_ns=since_ms * MS_NS, until_ns=until_ms * MS_NS)
    chosen = archive.tallies.chosen(stretch, traces_max=TRACES_MAX)
    spans = assemble(archive.bare_spans(Selection(trace_ids=chosen["trace_id"].combine_chunks())))
    paths, went = module_paths(spans, depth_max=DEPTH_MAX)
    joined = went.join(chosen, "trace_id", join_type="inner")
    failing = _sums(joined, len(paths), is_failing=True)
    passed = _sums(joined, len(paths), is_failing=False)
    weight, fails = chosen["weight"].to_numpy(), chosen["failing"].to_numpy()
    share = weight[fails].sum() / weight.sum() if len(weight) else 0.0
    return _ranked(paths, failing, passed, share=share)[:limit]


def _sums(went: pa.Table, paths: int, *, is_failing: bool) -> Floats:
    """Return by path the weights of the traces that went it and failed, or did not."""
    own = went.filter(pc.equal(went["failing"], is_failing))
    weights = np.bincount(own["path"].to_numpy(), own["weight"].to_numpy(), minlength=paths)
    return weights.astype(np.float64)


def _ranked(paths: list[Path], failing: Floats, passed: Floats, *, share: float) -> list[Row]:
    traces = failing + passed
    lift = np.divide(failing, traces * share, out=np.zeros_like(traces), where=traces * share > 0)
    told = {
        path
        for place, path in enumerate(paths)
        if failing[place] >= FAILING_MIN and lift[place] >= LIFT_MIN
    }
    number = {path: place for place, path in enumerate(paths)}
    for path in sorted(told, key=len, reverse=True):
        above = number.get(path[:-1])
        if (
            above is not None
            and np.isclose(
                [failing[above], passed[above]], [failing[number[path]], passed[number[path]]]
            ).all()
        ):
            told.discard(path[:-1])
    order = sorted(told, key=lambda path: (-_excess(number[path], failing, lift), path))
    return [
        {
            "path": list(path),
            "failing": float(failing[number[path]]),
            "passed": float(passed[number[path]]),
            "lift": float(lift[number[path]]),
        }
        for path in order
    ]


def _excess(place: int, failing: Floats, lift: Floats) -> float:
    """Return the failing traces beyond those expected at the share of all."""
    return float(failing[place] * (1 - 1 / lift[place]))
