"""Which traces are settled when more are due than there is time for, and what they stand for.

Receiving comes first: what is acknowledged is stored. When traces become due faster than they can
be derived, those that look as if something went wrong are settled, and of the others some drawn by
lot, with weights that say how many they stand for. Without it the wait would grow without bound,
and what is found would be ever older.
"""

import random
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True, kw_only=True)
class Lot:
    """What was drawn."""

    settled: pa.Array
    """Ids of the traces to settle."""
    weights: dict[str, float]
    """How many due traces each of them stands for."""
    passed_over: pa.Array
    """Ids of the others."""


def draw(due: pa.Array, suspects: pa.Array, *, room: int, chance: random.Random) -> Lot:
    """Choose ``room`` of the traces that are due; half of it is for suspects if they need it.

    Within both groups each trace has the same chance.
    """
    suspect = pc.is_in(due, value_set=suspects).to_numpy(zero_copy_only=False)
    few = np.flatnonzero(suspect), np.flatnonzero(~suspect)
    rooms = _shared(len(few[0]), len(few[1]), room)
    kept: list[int] = []
    weights: dict[str, float] = {}
    for places, own in zip(few, rooms, strict=True):
        drawn = sorted(chance.sample(places.tolist(), own))
        kept += drawn
        weights |= dict.fromkeys(
            due.take(pa.array(drawn, pa.int64())).to_pylist(), len(places) / max(own, 1)
        )
    rest = np.setdiff1d(np.arange(len(due)), kept)
    return Lot(
        settled=due.take(pa.array(sorted(kept), pa.int64())),
        weights=weights,
        passed_over=due.take(pa.array(rest, pa.int64())),
    )


def weighed(traces: pa.Table, weights: dict[str, float]) -> pa.Table:
    """Let the traces drawn (schema TRACES) stand for those passed over."""
    if not weights:
        return traces
    own = pc.fill_null(traces["weight"], 1.0).to_numpy()
    factors = np.array([weights.get(one, 1.0) for one in traces["trace_id"].to_pylist()])
    place = traces.schema.get_field_index("weight")
    return traces.set_column(place, traces.schema.field(place), pa.array(own * factors))


def _shared(suspects: int, others: int, room: int) -> tuple[int, int]:
    """Share the room: what one group does not need goes to the other."""
    for_suspects = min(suspects, max(room // 2, room - others))
    return for_suspects, min(others, room - for_suspects)
