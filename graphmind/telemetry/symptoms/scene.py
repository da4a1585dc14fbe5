"""What a symptom may look at, and what it returns."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from graphmind.settings import Settings
from graphmind.telemetry.assembly import Columns
from graphmind.telemetry.outline import Outline
from graphmind.telemetry.peers import Peers
from graphmind.telemetry.spans import STATUS_ERROR
from graphmind.telemetry.tree import Bools, Ints

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Scene:
    """All that a symptom may look at."""

    assembled: pa.Table
    columns: Columns
    traces: Outline
    operation: Ints
    """Number of each span's operation: its service and name."""
    settings: Settings
    horizon: int
    """Now, or the latest time seen in the window, ns."""
    peers: Peers | None = None

    @property
    def failed(self) -> Bools:
        """Spans that ended with an error."""
        failed: Bools = self.columns.status == STATUS_ERROR
        return failed


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Where a symptom shows: span rows, when it began, and a code."""

    rows: Ints
    began: Ints
    codes: pa.Array


def normal(scene: Scene) -> Peers:
    """Return what is normal, once it is measured."""
    assert scene.peers is not None, "relative symptoms are found after peers are measured"
    return scene.peers


def first_of_trace(rows: Ints, rank: Ints, trace: Ints) -> Ints:
    """Return of each trace the row of the lowest rank, ties by row."""
    order = np.lexsort((rows, rank, trace[rows]))
    ordered = rows[order]
    first = np.append(True, np.diff(trace[ordered]) != 0) if len(rows) else np.zeros(0, bool)
    firsts: Ints = ordered[first]
    return firsts


def either(scene: Scene, first: Shown, second: Shown) -> Shown:
    """Return the first's traces and those of the second that the first does not show."""
    shown = np.zeros(scene.traces.count, bool)
    shown[scene.columns.trace[first.rows]] = True
    rest = where(second, ~shown[scene.columns.trace[second.rows]])
    return Shown(
        rows=np.concatenate([first.rows, rest.rows]),
        began=np.concatenate([first.began, rest.began]),
        codes=pa.concat_arrays([first.codes, rest.codes]),
    )


def where(shown: Shown, keep: Bools) -> Shown:
    """Keep some of the rows shown."""
    return Shown(
        rows=shown.rows[keep], began=shown.began[keep], codes=shown.codes.filter(pa.array(keep))
    )


def traces_with(scene: Scene, found: dict[str, Shown], names: tuple[str, ...]) -> Bools:
    """Return which traces show any of the symptoms named."""
    marked = np.zeros(scene.traces.count, bool)
    for name in names:
        marked[scene.columns.trace[found[name].rows]] = True
    return marked


def constant_codes(text: str, count: int) -> pa.Array:
    """Repeat one code."""
    return pa.array([text] * count, pa.string())


def nothing() -> Shown:
    """Return a symptom that shows nowhere."""
    none = np.zeros(0, np.int64)
    return Shown(rows=none, began=none, codes=constant_codes("", 0))
