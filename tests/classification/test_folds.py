from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.classification.case import in_order
from graphmind.classification.folds import CASES_MIN, folds_of, learnable, macro_f1
from tests.classification.cases import crowd, three_classes


@given(st.dictionaries(st.sampled_from("abcd"), st.integers(CASES_MIN, 12), min_size=2))
def test_every_class_is_dealt_evenly_over_all_folds(counts):
    cases = in_order(own for label, count in counts.items() for own in crowd(label, count, label))

    folds = folds_of(cases)

    dealt = Counter(zip([own.label for own in cases], folds.tolist(), strict=True))
    for label in counts:
        shares = [dealt[label, fold] for fold in range(folds.max() + 1)]
        assert max(shares) - min(shares) <= 1
        assert min(shares) >= 1


def test_cases_that_say_the_same_share_a_fold():
    cases = in_order([*three_classes(), *three_classes()])

    folds = folds_of(cases)

    by_digest = {(own.digest, int(fold)) for own, fold in zip(cases, folds, strict=True)}
    assert len(by_digest) == len(three_classes())


def test_a_class_with_few_cases_is_not_learned():
    cases = [*crowd("rare", CASES_MIN - 1), *crowd("usual", CASES_MIN)]

    assert {own.label for own in learnable(cases)} == {"usual"}


@pytest.mark.parametrize(
    ("truth", "said", "score"),
    [
        ("aabb", "aabb", 1.0),
        ("aabb", "bbaa", 0.0),
        ("aabb", "aaaa", 1 / 3),
        ("ab", "a.", 0.5),
    ],
)
def test_macro_f1_is_the_mean_over_the_classes_of_the_truth(truth, said, score):
    assert macro_f1(list(truth), list(said)) == pytest.approx(score)
