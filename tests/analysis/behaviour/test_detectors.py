"""What holds for every method behind the protocol."""

import numpy as np
import pytest

from graphmind.analysis.behaviour.clusters import Centres, Density
from graphmind.analysis.behaviour.detectors import fit_trimmed
from graphmind.analysis.behaviour.reconstruction import Autoencoder, PrincipalComponents

METHODS = (PrincipalComponents(), Autoencoder(), Centres(), Density())
CLUSTERERS = (Centres(), Density())


def by_name(method):
    return method.name


def crowd(count=300, seed=1):
    """Two correlated clouds far apart."""
    random = np.random.default_rng(seed)
    cloud = random.normal(size=(count, 1)) * [1, 1, 1, 0] + random.normal(size=(count, 4)) * 0.1
    cloud[: count // 2] += [6, 0, 0, 0]
    return cloud


@pytest.mark.parametrize("method", METHODS, ids=by_name)
def test_what_is_far_from_the_crowd_has_a_larger_loss_than_any_of_it(method):
    model = method.fit(crowd())

    scores = method.score(model, np.vstack([crowd(), [[3.0, 0.0, 0.0, 12.0]]]))

    assert scores.min() >= 0
    assert scores[-1] > scores[:-1].max()


@pytest.mark.parametrize("method", METHODS, ids=by_name)
def test_the_same_vectors_give_the_same_scores(method):
    first, again = (method.score(method.fit(crowd()), crowd(seed=2)) for _ in range(2))

    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("method", METHODS, ids=by_name)
@pytest.mark.parametrize("count", [2, 3, 12])
def test_a_few_vectors_are_enough_to_learn_from(method, count):
    scores = method.score(method.fit(crowd()[:count]), crowd())

    assert np.isfinite(scores).all()


@pytest.mark.parametrize("method", METHODS, ids=by_name)
def test_nothing_to_score_gives_no_scores(method):
    assert len(method.score(method.fit(crowd()), np.zeros((0, 4)))) == 0


@pytest.mark.parametrize("method", METHODS, ids=by_name)
def test_vectors_that_are_all_the_same_are_learnt_from(method):
    model = method.fit(np.ones((40, 4)))

    same, other = method.score(model, np.array([[1.0, 1, 1, 1], [3.0, 1, 1, 1]]))

    assert same < other


@pytest.mark.parametrize("method", CLUSTERERS, ids=by_name)
def test_two_clouds_are_two_clusters_and_what_lies_between_is_in_none(method):
    clouds = np.random.default_rng(1).normal(size=(300, 4)) * 0.5
    clouds[:150] += [9, 0, 0, 0]

    label = method.label(method.fit(clouds), np.vstack([clouds, [[4.5, 0, 0, 0]]]))

    left, right = set(label[:150].tolist()) - {-1}, set(label[150:-1].tolist()) - {-1}
    assert len(left) == len(right) == 1
    assert left != right
    assert label[-1] == -1


def test_one_cloud_is_one_cluster_of_centres():
    model = Centres().fit(np.random.default_rng(1).normal(size=(500, 8)))

    assert len(model["centre"]) == 1


def test_a_ring_around_a_dot_is_told_apart_by_density_alone():
    angle = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    vectors = np.vstack([ring, ring * 0.05])

    label = Density().label(Density().fit(vectors), vectors)

    assert len(set(label[:300].tolist())) == len(set(label[300:].tolist())) == 1
    assert label[0] != label[-1]


def test_the_contribution_of_a_value_is_what_correcting_it_takes_off_the_loss():
    method = PrincipalComponents()
    model = method.fit(crowd())
    [vector] = rows = np.array([[0.0, 0.0, 0.0, 4.0]])

    [residuals] = method.residuals(model, rows)
    losses = [
        method.score(model, vector + np.linspace(-9, 9, 20_001)[:, None] * np.eye(4)[column]).min()
        for column in range(4)
    ]

    np.testing.assert_allclose(method.score(model, rows) - losses, residuals**2, atol=1e-3)
    assert np.abs(residuals).argmax() == 3


def test_trimming_keeps_a_minority_from_becoming_usual():
    minority = crowd()[:20] * 0.01 + [0, 0, 0, 9]
    vectors = np.vstack([crowd(), minority])
    method = PrincipalComponents()

    plain, trimmed = (
        np.median(method.score(model, minority)) / np.median(method.score(model, crowd()))
        for model in (method.fit(vectors), fit_trimmed(method, vectors))
    )

    assert trimmed > 10 * plain
