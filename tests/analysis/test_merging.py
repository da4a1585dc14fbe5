import numpy as np
import pytest

from graphmind.analysis.find import find
from graphmind.analysis.options import CauseOptions
from tests.analysis.planted import window_of

N = 4000
ROWS = np.arange(N)
AGENT = ROWS % 20


def groups(*, kinds=("agent", "agent"), codes=(9, 9), least=2):
    """Causes by finding: agents 3 and 4 fail half the time, 5 always."""
    sometimes = (ROWS // 20) % 2 == 0
    hits = [(AGENT == 3) & sometimes, (AGENT == 4) & sometimes, AGENT == 5]
    background = (ROWS % 211 == 7) & ~np.any(hits, axis=0)
    window = window_of(
        AGENT[:, None],
        np.any([*hits, background], axis=0),
        kinds=["agent"] * 3 + [*kinds, "region"] + ["agent"] * 14,
        code=np.select([*hits, background], [*codes, 7, ROWS % 5], -1),
    )
    return sorted(
        sorted(cause.items[0] for cause in finding.causes)
        for finding in find(window, CauseOptions(merge_causes_min=least)).findings
    )


def test_like_causes_with_the_same_symptom_onset_and_strength_are_one_finding():
    assert groups() == [[3, 4], [5]]


def test_fewer_like_causes_than_a_hidden_group_would_show_are_findings_of_their_own():
    assert groups(least=3) == [[3], [4], [5]]


@pytest.mark.parametrize(
    "difference",
    [
        {"codes": (9, 8)},
        {"kinds": ("agent", "tool")},
    ],
    ids=["symptom", "kind of item"],
)
def test_causes_that_differ_are_apart(difference):
    assert groups(**difference) == [[3], [4], [5]]


def chain_window(*, kinds=("written_by_agent", "kv_key")):
    """Agent 0 spoils what it writes for a while; key 1 holds a spoiled value some time longer."""
    reads_agent, reads_key = ROWS % 4 == 0, ROWS % 40 == 0
    spoiled = reads_agent & (ROWS >= 1000) & (ROWS < 2000)
    kept = reads_key & (ROWS >= 2000) & (ROWS < 3200)
    background = (ROWS % 211 == 7) & ~reads_agent
    touches = np.stack([np.where(reads_agent, 0, 2), np.where(reads_key, 1, 3)], axis=1)
    return window_of(
        touches,
        spoiled | kept | background,
        kinds=[*kinds, "agent", "agent"],
        code=np.where(background, ROWS % 5, 9),
    )


def test_what_is_left_of_a_spoiled_value_belongs_to_who_spoiled_it():
    [finding] = find(chain_window()).findings

    assert [cause.items for cause in finding.causes] == [(0,), (1,)]


def test_causes_outside_a_chain_of_writes_are_findings_of_their_own():
    findings = find(chain_window(kinds=("region", "tool"))).findings

    assert sorted(cause.items for f in findings for cause in f.causes) == [(0,), (1,)]
    assert len(findings) == 2
