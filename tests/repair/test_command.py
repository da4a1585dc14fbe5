from dataclasses import replace

import orjson
import pytest

from graphmind.incidents.incident import Item
from graphmind.repair.alternatives import Alternatives
from graphmind.repair.command import KEYS_MAX, LEVERS, propose
from graphmind.telemetry.facts import ITEM_KINDS
from tests.incidents.windows import incident

KNOWN = Alternatives(model_version="m@2", prompt_version="p@2", region="us")
NOTHING_KNOWN = Alternatives()
AFTERWARDS = ["redispatch:bulk", "mark_trace:fallback", "log_recovery:bulk"]


def steps(*items, known=KNOWN, **changes):
    """Level, root node and the steps before those that every command ends with."""
    command = propose(incident(*items, **changes), known)
    path = command["repair_path"]
    return command["level"], command["root_node"], path[: -len(AFTERWARDS)]


def test_a_command_says_what_to_do_where_and_why():
    conjunction = incident(("region", "eu"), ("model_version", "m@3"), written=["k"])

    assert propose(conjunction, KNOWN) == {
        "action": "multi_trace_repair",
        "state": "proposed",
        "level": "model",
        "root_node": "model_version:m@3",
        "matched_cluster": "CLUSTER_ERROR_X",
        "trace_scope": ["t1", "t2"],
        "only_where": [{"kind": "region", "name": "eu"}],
        "repair_path": ["switch_model_version:m@2", *AFTERWARDS],
        "reasons": [
            "8 of 10 traces with region eu + model_version m@3 fail",
            "2 of 90 traces without it fail",
            "risk ratio 8.0, at least 4.0 (95 %)",
            "confidence 0.90",
        ],
        "touches": {
            "traces": 10,
            "tasks": ["chat"],
            "agents": ["a"],
            "regions": ["eu"],
            "keys": ["k"],
        },
    }


def test_a_command_is_json():
    command = propose(incident(("agent", "a")), KNOWN)

    assert orjson.loads(orjson.dumps(command)) == command


@pytest.mark.parametrize(
    ("kind", "level", "expected"),
    [
        ("kv_key", "key", ["quarantine_key:x", "revert_state:x"]),
        ("written_by_trace", "key", ["quarantine_key:k", "revert_state:k"]),
        ("written_by_agent", "key", ["disable:x", "quarantine_key:k", "revert_state:k"]),
        ("fed_by_trace", "key", ["quarantine_key:k", "revert_state:k"]),
        ("fed_by_agent", "key", ["disable:x", "quarantine_key:k", "revert_state:k"]),
        ("model_version", "model", ["switch_model_version:m@2"]),
        ("model_requested", "model", ["switch_model_version:m@2"]),
        ("prompt_version", "agent", ["switch_prompt_version:p@2"]),
        ("agent", "agent", ["degrade:x"]),
        ("region", "region", ["drain:x", "fail_over:us"]),
        ("instance", "agent", ["restart:x"]),
        ("service", "agent", ["restart:x"]),
        ("tool", "trace", ["skip_step:x"]),
        ("endpoint", "trace", ["skip_step:x"]),
        ("module", "trace", ["skip_step:x"]),
        ("task", "trace", []),
    ],
)
def test_each_kind_of_cause_has_its_level_and_steps(kind, level, expected):
    assert steps((kind, "x"), written=["k"]) == (level, f"{kind}:x", expected)


def test_every_kind_but_the_task_has_a_lever():
    assert {*ITEM_KINDS} - {*LEVERS} == {"task"}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("model_version", ["switch_model_version:previous"]),
        ("prompt_version", ["switch_prompt_version:previous"]),
        ("region", ["drain:x"]),
    ],
)
def test_where_nothing_healthier_is_known_no_name_is_made_up(kind, expected):
    assert steps((kind, "x"), known=NOTHING_KNOWN)[2] == expected


@pytest.mark.parametrize(
    ("symptom", "action"),
    [
        ("hang", "restart"),
        ("fork", "disable"),
        ("loop", "disable"),
        ("error", "degrade"),
        ("storm", "degrade"),
    ],
)
def test_what_is_done_to_an_agent_follows_from_the_symptom(symptom, action):
    assert steps(("agent", "x"), symptom=symptom)[2] == [f"{action}:x"]


@pytest.mark.parametrize("kind", LEVERS)
def test_of_a_conjunction_the_first_lever_is_pulled_only_where_the_other_is_touched(kind):
    later = list(LEVERS)[list(LEVERS).index(kind) + 1 :]
    for other in (*later, "task"):
        for pair in (((kind, "x"), (other, "y")), ((other, "y"), (kind, "x"))):
            command = propose(incident(*pair), KNOWN)

            assert command["root_node"] == f"{kind}:x"
            assert command["only_where"] == [{"kind": other, "name": "y"}]


def test_of_two_items_of_one_kind_the_first_named_is_acted_on():
    command = propose(incident(("agent", "x"), ("agent", "y")), KNOWN)

    assert command["root_node"] == "agent:x"
    assert command["only_where"] == [{"kind": "agent", "name": "y"}]


def test_only_the_key_is_quarantined_where_key_and_writer_are_the_cause():
    pair = ("written_by_agent", "a"), ("kv_key", "k1")

    assert steps(*pair, written=["k1", "k2"])[2] == ["quarantine_key:k1", "revert_state:k1"]


@pytest.mark.parametrize("kind", ["written_by_trace", "written_by_agent"])
@pytest.mark.parametrize("count", [0, KEYS_MAX + 1])
def test_too_many_keys_to_list_or_none_known_are_named_by_their_writer(kind, count):
    keys = [f"k{n}" for n in range(count)]

    assert steps((kind, "x"), written=keys)[2][-1:] == [f"quarantine_key:{kind}=x"]


def test_as_many_keys_as_may_be_listed_are_quarantined_before_any_is_reverted():
    keys = [f"k{n}" for n in range(KEYS_MAX)]

    assert steps(("written_by_trace", "x"), written=keys)[2] == [
        *(f"quarantine_key:{key}" for key in keys),
        *(f"revert_state:{key}" for key in keys),
    ]


@pytest.mark.parametrize(
    ("symptom", "expected"),
    [
        ("error", AFTERWARDS),
        ("hang", AFTERWARDS),
        ("wrong", ["revert_state:last_good", "mark_trace:fallback", "log_recovery:bulk"]),
        ("slow", ["mark_trace:fallback", "log_recovery:bulk"]),
    ],
)
def test_the_traces_hit_are_marked_and_what_they_lost_is_made_good(symptom, expected):
    assert propose(incident(symptom=symptom), KNOWN)["repair_path"] == expected


def test_without_a_cause_the_traces_are_repaired_one_by_one():
    command = propose(incident(), KNOWN)

    assert (command["level"], command["root_node"]) == ("trace", "inference")
    assert (command["only_where"], command["repair_path"]) == ([], AFTERWARDS)
    assert command["reasons"] == ["no shared cause; 75 % went wrong at inference"]


def test_without_a_cause_and_a_place_the_reasons_say_so():
    command = propose(incident(root_module=None, root_module_share=0.0), KNOWN)

    assert command["root_node"] is None
    assert command["reasons"] == ["no shared cause, and no module where they went wrong"]


def test_reasons_say_how_many_names_the_data_cannot_tell_apart():
    blamed = incident(("agent", "a"))
    cause = replace(blamed.causes[0], tied=((Item(kind="region", name="eu"),),) * 3)

    command = propose(replace(blamed, causes=(cause,)), KNOWN)

    assert command["reasons"][-1] == "confidence 0.90, not told apart from 3 other names"
