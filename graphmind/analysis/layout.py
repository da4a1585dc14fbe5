"""Where to draw the nodes of a graph: forces, the same place every time for the same graph."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from graphmind.analysis.incidence import Floats, Integers

STEPS: Final = 60
NEIGHBOURS: Final = 12
"""Nodes that push each one away, the nearest: those far off push little (chosen)."""
GOLDEN: Final = np.pi * (3 - np.sqrt(5))


def lay_out(nodes: int, source: Integers, target: Integers, weight: Floats) -> NDArray[np.float64]:
    """Return a place for each node, (nodes, 2), each coordinate from -1 to 1.

    Edges (``source``, ``target``: rows of nodes) pull by weight. The first node is the middle.
    Nodes begin on a spiral in their order, so those that come first end up inside.
    """
    if nodes < 2:
        return np.zeros((nodes, 2))
    order = np.arange(nodes)
    radius = np.sqrt(order / nodes)
    place = radius[:, None] * np.column_stack((np.cos(order * GOLDEN), np.sin(order * GOLDEN)))
    apart = 1 / np.sqrt(nodes)
    pull = np.log1p(weight) / max(float(np.log1p(weight).max(initial=0)), 1e-9)
    degree = np.maximum(np.bincount(np.concatenate((source, target)), minlength=nodes), 1)
    for step in range(STEPS):
        force = _push(place, apart)
        along = (place[target] - place[source]) * (pull / apart / 4)[:, None]
        for axis in range(2):
            drawn = np.bincount(source, along[:, axis], nodes)
            drawn -= np.bincount(target, along[:, axis], nodes)
            force[:, axis] += drawn / degree
        length = np.maximum(np.hypot(*force.T), 1e-12)
        reach = apart * (1 - step / STEPS)
        place += force * (np.minimum(length * apart, reach) / length)[:, None]
        place -= place[0]
    return np.asarray(place / max(float(np.abs(place).max()), 1e-12))


def _push(place: NDArray[np.float64], apart: float) -> NDArray[np.float64]:
    """Push each node away from its nearest ones, by the square of how near they are."""
    count = min(NEIGHBOURS + 1, len(place))
    distance, near = KDTree(place).query(place, k=count)
    away = place[:, None, :] - place[near]
    force = (apart / np.maximum(distance, apart / 100)) ** 2
    force[:, 0] = 0
    return np.asarray(
        (away / np.maximum(distance, apart / 100)[:, :, None] * force[:, :, None]).sum(1)
    )
