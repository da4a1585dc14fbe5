"""The command against a bad value."""

from dataclasses import replace

import orjson
import pyarrow as pa
import pytest

from graphmind.analysis.contamination.reached import REACHED_KEYS, REACHED_TRACES
from graphmind.analysis.contamination.rollback import Rollback, Write
from graphmind.analysis.contamination.trail import PatientZero, Ring, Trail
from graphmind.repair.command import KEYS_MAX
from graphmind.repair.quarantine import READERS_ENOUGH, harm_reach, quarantine

AFTERWARDS = ["redispatch:bulk", "mark_trace:fallback", "log_recovery:bulk"]
OTHERS = Ring(hops=0, traces=1000, harmed=10)


def write(key, trace, at_ns=5):
    return Write(key=key, trace_id=trace, agent="a", at_ns=at_ns)


def holding(key, *, hops=0, clean=True, harmed=1):
    """A key that still holds a bad value; and how many failing traces read it."""
    return harmed, Rollback(
        key=key,
        hops=hops,
        to=write(key, "clean") if clean else None,
        writes=2,
        by_agent={"keeper": 2},
        healthy_writers=("w1", f"writer of {key}"),
        healthy_readers=3,
    )


def ring(hops, harmed, traces):
    return Ring(hops=hops, traces=traces, harmed=harmed)


HARMFUL = (ring(1, 8, 10),)


def trail(*held, rings=HARMFUL):
    keys = [
        {"key": each.key, "hops": each.hops, "since_ns": 1, "writes": 2, "harmed": harmed}
        | {"healthy": 3, "holds": True}
        for harmed, each in held
    ]
    traces = [
        {
            "trace_id": trace,
            "hops": 1,
            "read_ns": 7,
            "harmed": trace != "h",
            "healthy": trace == "h",
        }
        for trace in ("t2", "h", "t1")
    ]
    return Trail(
        origins=(write("k", "p"),),
        patient_zero=PatientZero(write=write("k", "p"), explained=2, share=0.875),
        rings=rings,
        others=OTHERS,
        traces=pa.Table.from_pylist(traces, REACHED_TRACES),
        keys=pa.Table.from_pylist(keys, REACHED_KEYS),
        rollbacks=tuple(each for _, each in held),
        contaminated=pa.table({}),
    )


def path(*held, **given):
    """Steps before those that every command ends with."""
    steps = quarantine(trail(*held, **given), matched_cluster="C")["repair_path"]
    assert steps[-3:] == AFTERWARDS
    return steps[:-3]


def test_the_command_says_what_to_close_what_to_go_back_to_and_what_that_loses():
    command = quarantine(trail(holding("k")), matched_cluster="CLUSTER_POISON_K")

    assert command == {
        "action": "multi_trace_repair",
        "state": "proposed",
        "level": "key",
        "root_node": "written_by_trace:p",
        "matched_cluster": "CLUSTER_POISON_K",
        "trace_scope": ["t1", "t2"],
        "only_where": [],
        "repair_path": ["quarantine_key:k", "revert_key:k", *AFTERWARDS],
        "revert_to": [{"key": "k", "trace_id": "clean", "agent": "a", "at_ns": 5}],
        "lost": {
            "writes": 2,
            "healthy_writers": ["w1", "writer of k"],
            "keys": [
                {"key": "k", "writes": 2, "by_agent": {"keeper": 2}, "healthy_writers": 2}
                | {"healthy_readers": 3}
            ],
        },
        "reasons": [
            "8 of 10 traces 1 writes away fail",
            "10 of 1000 traces that it did not reach fail",
            "88 % of the failing traces descend from one write",
        ],
        "touches": {"traces": 3, "tasks": [], "agents": ["keeper"], "regions": [], "keys": ["k"]},
    }
    assert orjson.loads(orjson.dumps(command)) == command


def test_the_key_that_most_failing_traces_read_is_closed_first():
    steps = path(holding("a", harmed=1), holding("b", harmed=5), holding("c", harmed=5))

    assert steps[:3] == ["quarantine_key:b", "quarantine_key:c", "quarantine_key:a"]


def test_a_key_without_a_clean_value_is_closed_and_not_reverted():
    command = quarantine(trail(holding("k", clean=False)), matched_cluster="C")

    assert command["repair_path"] == ["quarantine_key:k", *AFTERWARDS]
    assert command["lost"]["writes"] == 0
    assert "no clean value known of 1 keys: closed, not reverted" in command["reasons"]


def test_a_writer_of_two_keys_is_lost_once():
    command = quarantine(trail(holding("k"), holding("l")), matched_cluster="C")

    assert command["lost"]["healthy_writers"] == ["w1", "writer of k", "writer of l"]


@pytest.mark.parametrize(
    ("rings", "far"),
    [
        ((), 0),
        ((ring(1, 0, READERS_ENOUGH - 1),), 0),
        ((ring(1, 0, READERS_ENOUGH),), -1),
        ((ring(1, 2, 2),), 0),
        ((ring(1, 3, 3),), 1),
        ((ring(1, 1, 90), ring(2, 0, 90), ring(3, 50, 90)), 3),
        ((ring(1, 50, 90), ring(2, 3, 300)), 1),
    ],
)
def test_harm_reaches_as_far_as_readers_fail_more_than_others(rings, far):
    assert harm_reach(trail(rings=rings)) == far


def test_keys_are_closed_one_hop_beyond_where_harm_is_seen():
    held = [holding(f"k{hops}", hops=hops) for hops in range(4)]

    assert path(*held, rings=(ring(1, 9, 10),))[:2] == ["quarantine_key:k0", "quarantine_key:k1"]


def test_nothing_is_closed_where_readers_fail_no_more_than_others():
    harmless = (ring(1, 1, 100),)
    command = quarantine(trail(holding("k"), rings=harmless), matched_cluster="C")

    assert command["repair_path"] == AFTERWARDS
    assert command["reasons"][-1] == "its readers fail no more than others: nothing to close"


def test_nothing_is_closed_where_every_key_is_clean_again():
    command = quarantine(trail(), matched_cluster="C")

    assert command["repair_path"] == AFTERWARDS
    assert command["reasons"][-1].startswith("no key holds what its readers fail of any more")


def test_of_many_keys_the_most_harmful_are_listed_and_the_others_counted():
    held = [holding(f"k{n:02}", harmed=n) for n in range(KEYS_MAX + 3)]
    command = quarantine(trail(*held), matched_cluster="C")

    assert len(command["touches"]["keys"]) == KEYS_MAX
    assert command["reasons"][-1] == "3 more keys hold it, read by fewer failing traces"


@pytest.mark.parametrize(("keys", "root"), [(["k"], "kv_key:k"), (["k", "l"], None)])
def test_without_a_patient_zero_the_root_is_the_one_key_written(keys, root):
    known = trail(holding("k"))
    nobody = replace(known, patient_zero=None, origins=tuple(write(key, "p") for key in keys))

    assert quarantine(nobody, matched_cluster="C")["root_node"] == root
