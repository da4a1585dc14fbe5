"""Groups of anomalous traces that are unusual in the same way; found once, known by number."""

from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from graphmind.analysis.behaviour.clusters import Centres
from graphmind.analysis.behaviour.pooling import COLUMNS
from graphmind.telemetry.grouped import Floats
from graphmind.telemetry.tree import Ints

METHOD: Final = Centres(radius_max=1.0)
"""On directions, where a distance of 1 is an angle of 60 degrees (chosen)."""
MEMBERS_MIN: Final = 10
"""Traces that make a group; twice as many are needed to look for groups (chosen)."""
GROUPS_MAX: Final = 99
"""Groups kept; of more, the oldest are forgotten (chosen)."""
ROUNDS_MAX: Final = 5
"""How often groups are looked for among what is left (chosen)."""


@dataclass(frozen=True, kw_only=True)
class Groups:
    """What is known of groups, oldest first."""

    centre: Floats
    """(groups, columns), of directions."""
    radius: Floats
    number: Ints
    """From 1, in order of discovery; never given twice."""

    @classmethod
    def none(cls) -> Self:
        """Return no groups."""
        return cls(
            centre=np.zeros((0, len(COLUMNS))), radius=np.zeros(0), number=np.zeros(0, np.int64)
        )

    def label(self, directions: Floats) -> Ints:
        """Return the number of the group of each direction, 0 for none."""
        if not len(self.number):
            return np.zeros(len(directions), np.int64)
        found = METHOD.label({"centre": self.centre, "radius": self.radius}, directions)
        return np.where(found >= 0, self.number[found], 0)

    def extended(self, directions: Floats) -> Self:
        """Add the groups among directions that no group holds; the same object if there are none.

        Asked again about the same directions, the result adds none.
        """
        groups = self
        for _ in range(ROUNDS_MAX):
            left = directions[groups.label(directions) == 0]
            more = groups._with_groups_of(left)
            if more is groups:
                break
            groups = more
        return groups

    def _with_groups_of(self, left: Floats) -> Self:
        if len(left) < 2 * MEMBERS_MIN:
            return self
        found = METHOD.fit(left)
        label = METHOD.label(found, left)
        members = np.bincount(label[label >= 0], minlength=len(found["radius"]))
        kept = members >= MEMBERS_MIN
        if not kept.any():
            return self
        number = int(self.number.max(initial=0)) + 1 + np.arange(kept.sum())
        return replace(
            self,
            centre=np.vstack([self.centre, found["centre"][kept]])[-GROUPS_MAX:],
            radius=np.append(self.radius, found["radius"][kept])[-GROUPS_MAX:],
            number=np.append(self.number, number)[-GROUPS_MAX:],
        )


def directions(residuals: Floats) -> Floats:
    """Return residuals at length one: what is unusual, not how much."""
    lengths = np.maximum(np.linalg.norm(residuals, axis=1, keepdims=True), 1e-12)
    unit: Floats = residuals / lengths
    return unit
