"""The whole of the matching on a small planted library; the figures are in the benchmark."""

from benchmarks.matching.archetypes import World
from graphmind.matching.library import Library
from graphmind.matching.verdict import SEEN_MIN


def test_planted_incidents_are_recognised_when_they_happen_again_and_new_ones_are_not():
    world = World(seed=5)
    archetypes = world.archetypes(400)
    library = Library.of(world.entries("past", archetypes[:300]))
    again = list(world.entries("again", archetypes[:100]))
    new = list(world.entries("new", archetypes[300:]))
    ranked = [library.rank(own.fingerprint) for own in again]
    first = [library.cases[own.rows[0]].incident_id for own in ranked]
    false = [own for own in new if library.rank(own.fingerprint).scores[0] >= SEEN_MIN]

    right = [n for n, name in enumerate(first) if name == f"past{n:06}"]
    assert len(right) >= 98
    assert sum(ranked[n].scores[0] >= SEEN_MIN for n in right) >= 80
    assert len(false) <= 2
