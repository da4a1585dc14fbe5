import numpy as np
import pytest

from benchmarks.rivals.clustering import (
    leiden,
    louvain_bipartite,
    louvain_similarity,
    significant_touches,
    touches,
)
from benchmarks.rivals.gds import DROP, LOUVAIN, PROJECT, gds_louvain
from benchmarks.rivals.view import view_before_symptom
from tests.analysis.planted import window_of
from tests.benchmarks.rivals.windows import BAD, WORSE, name, traces, view


def leiden_of(edges):
    return leiden(pytest.importorskip("igraph"), edges)


CLUSTERINGS = {
    "louvain_similarity": louvain_similarity,
    "louvain_bipartite": louvain_bipartite,
    "leiden": lambda view: leiden_of(touches)(view, 0),
}


@pytest.mark.parametrize("cluster", CLUSTERINGS.values(), ids=CLUSTERINGS)
def test_failing_traces_that_share_nothing_fall_apart_and_are_named(cluster):
    found = sorted(cluster(view()), key=lambda report: -len(report.traces))

    assert [report.traces for report in found] == [traces(0, 10), traces(10, 16)]
    assert [report.explanations[0] for report in found] == [{name(BAD)}, {name(WORSE)}]


@pytest.mark.parametrize("cluster", CLUSTERINGS.values(), ids=CLUSTERINGS)
def test_too_few_failing_traces_are_not_clustered(cluster):
    seen = view_before_symptom(window_of(np.zeros((9, 1), int), np.arange(9) < 4), ["x"] * 9)

    assert cluster(seen) == []


def test_only_touches_of_items_that_fail_beyond_chance_are_significant():
    # Item 1 gains 6 ln(40 / 17) nats, less than the price.
    rows, items, weights = significant_touches(view(), np.flatnonzero(view().failing))

    assert set(items.tolist()) == {BAD}
    assert len(rows) == 10
    # 10 ln(1 / (17 / 40)) nats beyond ln(3 items / 0.01).
    assert weights == pytest.approx(10 * np.log(40 / 17) - np.log(3 / 0.01))


def test_gds_louvain_projects_touches_and_reads_back_communities():
    asked = []

    def query(statement, parameters):
        asked.append((statement, parameters))
        members = [{"nodeId": place, "communityId": place >= 10} for place in range(16)]
        return members if statement == LOUVAIN else []

    found = gds_louvain(query)(view(), 0)

    assert [report.traces for report in found] == [traces(0, 10), traces(10, 16)]
    assert [statement for statement, _ in asked] == [DROP, PROJECT, LOUVAIN, DROP]
    # 17 failing traces come first, items after them.
    assert [0, 17 + BAD] in asked[1][1]["edges"]


def test_leiden_on_significant_touches_finds_what_is_significant():
    found = leiden_of(significant_touches)(view(), 0)

    assert [(report.traces, report.explanations[0]) for report in found] == [
        (traces(0, 10), {name(BAD)})
    ]
