import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from graphmind.matching.library import CANDIDATES_MAX, Library
from graphmind.matching.score import UNNAMED_COUNTS, rarity
from tests.matching.entries import entry, fingerprint, fingerprints, libraries


def scores(library, own):
    ranked = library.rank(own)
    ids = [library.cases[row].incident_id for row in ranked.rows.tolist()]
    return dict(zip(ids, ranked.scores.tolist(), strict=True))


def parts_by_hand(library, one, other):
    """The cosine of tokens and the overlap of codes, written down as the design has them."""

    def weighted(own):
        return {token: w * library.rarity_of(token) for token, w in own.structure.items()}

    left, right = weighted(one), weighted(other)
    lengths = math.hypot(*left.values()) * math.hypot(*right.values())
    product = sum(left[token] * right[token] for token in left.keys() & right.keys())
    codes = one.error_codes.keys() & other.error_codes.keys()
    errors = sum(min(one.error_codes[code], other.error_codes[code]) for code in codes)
    return 0.5 * (product / lengths if lengths else 0.0) + 0.25 * errors


def believed_by_hand(shown, own, other):
    """How much an unnamed cause counts: by the causes of those that look alike, this one too."""
    alike = {name: cause for name, (value, cause) in shown.items() if cause and value >= 0.8 * 0.75}
    name, cause = other
    wanted = own or cause or next(iter(Counter(alike.values()).most_common(1)), (None, 0))[0]
    causes = list(alike.values()) + ([wanted] if name not in alike else [])
    return UNNAMED_COUNTS * causes.count(wanted) / len(causes)


@given(libraries, fingerprints)
def test_scores_are_those_of_the_formula_and_lie_between_0_and_1(kept, own):
    library = Library.of(kept)
    shown = {
        known.case.incident_id: (
            parts_by_hand(library, own, known.fingerprint),
            known.fingerprint.cause_class,
        )
        for known in kept
    }
    assume(all(abs(value - 0.8 * 0.75) > 1e-9 for value, _ in shown.values()))
    expected = {
        name: value
        + 0.25
        * (
            float(own.cause_class == cause)
            if own.cause_class and cause
            else believed_by_hand(shown, own.cause_class, (name, cause))
        )
        for name, (value, cause) in shown.items()
    }
    found = scores(library, own)

    assert found == pytest.approx(expected)
    assert all(0.0 <= score <= 1.0 for score in found.values())


named = fingerprints.filter(lambda own: own.cause_class is not None)


@given(libraries, named, named)
def test_a_score_of_named_causes_is_the_same_from_either_side(kept, one, other):
    pair = [entry(" one", **vars(one)), entry(" other", **vars(other))]
    library = Library.of([*kept, *pair])

    assert scores(library, one)[" other"] == pytest.approx(scores(library, other)[" one"])


def test_an_unnamed_cause_counts_less_where_those_that_look_alike_had_others():
    unnamed = entry("unnamed", cause_class=None)
    others = [entry(f"other {n}", cause_class=f"agent {n}") for n in "abc"]
    same = [entry(f"same {n}") for n in "abc"]
    alone, doubted, backed = (
        scores(Library.of([unnamed, *beside]), fingerprint())["unnamed"]
        for beside in ([], others, same)
    )

    assert alone == pytest.approx(backed)
    assert alone == pytest.approx(0.75 + 0.25 * UNNAMED_COUNTS)
    assert doubted == pytest.approx(0.75 + 0.25 * UNNAMED_COUNTS / 4)


@given(libraries, fingerprints, st.randoms())
def test_the_order_of_entries_does_not_matter(kept, own, random):
    mixed = random.sample(kept, len(kept))

    assert scores(Library.of(mixed), own) == scores(Library.of(kept), own)


@given(fingerprints.filter(lambda own: own.structure and own.error_codes and own.cause_class))
def test_a_fingerprint_is_like_itself_even_in_a_library_of_one(own):
    assert scores(Library.of([entry("inc-1", **vars(own))]), own) == {"inc-1": pytest.approx(1.0)}


def test_candidates_hold_the_best_of_a_large_library():
    kept = [
        entry(f"{n:04}", structure={"router": 1.0, f"tool {n % 400}": 1.0}, cause_class=None)
        for n in range(800)
    ]
    library = Library.of(kept)
    own = fingerprint(structure={"router": 1.0, "tool 7": 1.0}, cause_class=None)
    ranked, exact = library.rank(own), library.rank(own, exact=True)

    assert [library.cases[row].incident_id for row in ranked.rows[:2]] == ["0007", "0407"]
    assert len(ranked.rows) == CANDIDATES_MAX
    assert ranked.scores[:2].tolist() == exact.scores[:2].tolist()


def test_only_cases_allowed_are_ranked():
    library = Library.of([entry("a"), entry("b"), entry("c")])
    ranked = library.rank(fingerprint(), allowed=np.array([False, True, True]))

    assert ranked.rows.tolist() == [1, 2]


def test_an_empty_library_ranks_nothing():
    assert len(Library.of([]).rank(fingerprint()).rows) == 0


def test_hits_are_incidents_recognised_as_a_case():
    kept = [entry("a"), entry("b", case={"recognised_as": "a"})]
    kept += [entry("c", case={"recognised_as": "a"}), entry("d", case={"recognised_as": "gone"})]

    assert Library.of(kept).hits == {"a": 2, "b": 0, "c": 0, "d": 0}


def test_a_rare_token_tells_more_than_a_common_one():
    assert rarity(1, 100) > rarity(50, 100) > rarity(100, 100) > 0
