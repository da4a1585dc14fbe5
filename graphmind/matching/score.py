"""How alike two fingerprints are: structure, error codes and class of the cause (section 9)."""

import math
from typing import Final

import numpy as np

from graphmind.telemetry.grouped import Floats
from graphmind.telemetry.tree import Bools, Ints

STRUCTURE, ERRORS, CAUSE = 0.5, 0.25, 0.25
"""What each part counts (measured: section 9; .55/.30/.15 finds less)."""
UNNAMED_COUNTS: Final = 0.6
"""How much of an agreement it counts at most where either cause is not named.

Measured (``benchmarks matching``, 100,000 cases, at thresholds that make 2 % false): 0.5 to 0.65
find 78 % and rank .967 first; sharing its weight between the other parts, as section 9 has it, has
3.5 % false at any threshold up to 0.90 and ranks .965 first.
"""
ALIKE_MIN: Final = 0.8
"""Structure and errors from which a case says what such incidents are caused by: as of a match."""
UNNAMED: Final = -1
"""Class number of a cause that was not named."""
UNKNOWN: Final = -2
"""Class number of a cause whose class the library does not hold."""


def combine(structure: Floats, errors: Floats, classes: Ints, own: int) -> Floats:
    """Score cases against one fingerprint, 0..1 each.

    ``structure`` is the cosine of the tokens, ``errors`` the overlap of the error codes,
    ``classes`` the class of each case and ``own`` that of the fingerprint.
    """
    shown = STRUCTURE * structure + ERRORS * errors
    alike = (shown >= ALIKE_MIN * (STRUCTURE + ERRORS)) & (classes != UNNAMED)
    unnamed = (classes == UNNAMED) | (own == UNNAMED)
    believed = UNNAMED_COUNTS * _agreement(alike, classes, own)
    agreement = np.where(unnamed, believed, classes == own)
    return np.clip(shown + CAUSE * agreement, 0.0, 1.0)


def _agreement(alike: Bools, classes: Ints, own: int) -> Floats:
    """Return the share of the cases that look alike which have the class that a pair names.

    The case itself counts as one of them. Where incidents of many causes look alike, an unnamed
    cause is probably another one; where none is alike nothing speaks against it.
    """
    named, counts = np.unique(classes[alike], return_counts=True)
    wanted = classes if own == UNNAMED else np.full(len(classes), own)
    place = np.minimum(np.searchsorted(named, wanted), max(len(named) - 1, 0))
    same = np.zeros(len(classes))
    if len(named):
        same = np.where(named[place] == wanted, counts[place], 0)
        same = np.where(wanted == UNNAMED, counts.max(), same)
    itself = 1 - alike
    share: Floats = (same + itself) / (alike.sum() + itself)
    return share


STRANGERS: Final = 10
"""Cases without any of the tokens that every library counts besides its own (chosen)."""


def rarity(frequency: int, cases: int) -> float:
    """Return ln((N + 1) / (df + 1)) of a token, over the library and a few strangers.

    In a library of one or two cases every token would be common, and nothing could match.
    """
    return math.log((cases + STRANGERS + 1) / (frequency + 1))
