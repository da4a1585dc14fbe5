"""How traces went, in columns: what each agent answered and called, and along which modules."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from graphmind.telemetry.numbering import joined, numbered_texts

Ints = NDArray[np.int64]
Path = tuple[str, ...]
_Numbers = tuple[int, ...]

ANSWERS: Final = pa.schema(
    [
        pa.field("trace_id", pa.string()),
        pa.field("agent", pa.string()),
        pa.field("mean_ms", pa.float64()),  # of its calls in the trace
        pa.field("branch", pa.string()),  # other modules called below its spans, sorted, joined
    ]
)
PATHS: Final = pa.schema(
    [
        pa.field("trace_id", pa.string()),
        pa.field("path", pa.int32()),  # place in the list of paths
    ]
)
_NS_PER_MS: Final = 1_000_000


def answers(spans: pa.Table) -> pa.Table:
    """Return how each agent answered in each trace (schema ANSWERS), from ASSEMBLED, any order.

    A call begins where the parent has another agent; agents whose calls have not ended are absent.
    """
    agent = numbered_texts(spans.column("agent"))
    parent = spans.column("parent_row").to_numpy()
    above = np.where(parent >= 0, agent[parent], -1)
    begins = (agent >= 0) & (agent != above)
    calls = spans.filter(pa.array(begins)).select(["trace_id", "agent", "start_ns", "end_ns"])
    spent = pc.divide(pc.subtract(calls["end_ns"], calls["start_ns"]).cast("double"), _NS_PER_MS)
    means = (
        pa.table({"trace_id": calls["trace_id"], "agent": calls["agent"], "ms": spent})
        .filter(pc.greater(spent, 0))
        .group_by(["trace_id", "agent"], use_threads=False)
        .aggregate([("ms", "mean")])
    )
    found = means.join(_branches(spans, agent, parent), ["trace_id", "agent"])
    branch = pc.fill_null(found["branch"], "")
    columns = [found["trace_id"], found["agent"], found["ms_mean"], branch]
    return pa.Table.from_arrays(columns, schema=ANSWERS)


def _branches(spans: pa.Table, agent: Ints, parent: Ints) -> pa.Table:
    """Return by trace and agent the modules that its spans call, other than their own."""
    module = numbered_texts(spans.column("module"))
    safe = np.maximum(parent, 0)
    turns = (parent >= 0) & (agent[safe] >= 0) & (module >= 0) & (module != module[safe])
    rows = pa.array(np.flatnonzero(turns))
    callers = spans.column("agent").take(pa.array(safe[turns]))
    pairs = pa.table(
        {
            "trace_id": spans.column("trace_id").take(rows),
            "agent": callers,
            "module": spans.column("module").take(rows),
        }
    )
    once = pairs.group_by(["trace_id", "agent", "module"]).aggregate([])
    lists = (once.sort_by("module").group_by(["trace_id", "agent"], use_threads=False)).aggregate(
        [("module", "list")]
    )
    branch = pc.binary_join(lists["module_list"], ", ")
    return pa.table({"trace_id": lists["trace_id"], "agent": lists["agent"], "branch": branch})


def module_paths(spans: pa.Table, *, depth_max: int) -> tuple[list[Path], pa.Table]:
    """Return the paths of modules that traces went, from ASSEMBLED, and who went each, once.

    A path is the modules from the root to a span, those repeated in a row named once, at most
    ``depth_max`` of them: every beginning of a path is one too. Who: schema PATHS.
    """
    encoded = joined(spans.column("module")).dictionary_encode()
    module = pc.fill_null(encoded.indices, -1).to_numpy().astype(np.int64)
    walked, paths = _walked(spans, module, depth_max)
    rows = np.flatnonzero(walked >= 0)
    trace = spans.column("trace_row").to_numpy().astype(np.int64)[rows]
    _, first = np.unique(trace * (len(paths) + 1) + walked[rows], return_index=True)
    kept = rows[first]
    trace_id = spans.column("trace_id").take(pa.array(kept))
    went = pa.table([trace_id, pa.array(walked[kept], pa.int32())], schema=PATHS)
    names = encoded.dictionary.to_pylist()
    return [tuple(names[number] for number in path) for path in paths], went


def _walked(spans: pa.Table, module: Ints, depth_max: int) -> tuple[Ints, list[_Numbers]]:
    """Return the path of each span, -1 before the first module, and the paths by number."""
    parent = spans.column("parent_row").to_numpy()
    depth = spans.column("depth").to_numpy()
    walked = np.full(len(module), -1, np.int64)
    known: dict[_Numbers, int] = {}
    order = np.argsort(depth, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(depth[order])) + 1):
        above = np.where(parent[rows] >= 0, walked[np.maximum(parent[rows], 0)], -1)
        walked[rows] = _one_further(above, module[rows], known, depth_max)
    return walked, list(known)


def _one_further(above: Ints, module: Ints, known: dict[_Numbers, int], depth_max: int) -> Ints:
    """Return the paths of spans by those of their parents; new ones are added to ``known``."""
    paths = list(known)
    width = int(module.max(initial=0)) + 2
    steps, which = np.unique((above + 1) * width + module + 1, return_inverse=True)
    numbers = np.empty(len(steps), np.int64)
    for at, step in enumerate(steps.tolist()):
        before, own = step // width - 1, step % width - 1
        path = paths[before] if before >= 0 else ()
        if own >= 0 and len(path) < depth_max and path[-1:] != (own,):
            numbers[at] = known.setdefault((*path, own), len(known))
        else:
            numbers[at] = before
    return numbers[which]
