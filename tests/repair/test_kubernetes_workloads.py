"""Pod templates: what counts as another one, and what calls make of them."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.repair.connector import ConnectorError, StateChanged
from graphmind.repair.connectors.kubernetes_workloads import (
    RESTART,
    RESTARTED,
    Metadata,
    Step,
    Workload,
    WorkloadSpec,
    change_of,
    degraded,
    held,
    is_made,
    restoring,
    state_of,
    template_hash,
    undo_of,
    wanted_replicas,
)
from graphmind.repair.model import Call

names = st.text(alphabet="abcX-", min_size=1, max_size=5)
labels = st.dictionaries(names, names, max_size=3)
templates = st.fixed_dictionaries(
    {
        "spec": st.fixed_dictionaries(
            {
                "containers": st.lists(
                    st.fixed_dictionaries(
                        {"name": names, "image": names},
                        optional={
                            "env": st.lists(st.fixed_dictionaries({"name": names, "value": names}))
                        },
                    ),
                    min_size=1,
                    max_size=1,
                )
            }
        )
    },
    optional={
        "metadata": st.fixed_dictionaries({}, optional={"labels": labels, "annotations": labels})
    },
)
RESTARTING = Call(action="restart", target="a")


def workload(template, *, name="a", replicas=3, annotations=None):
    spec = WorkloadSpec(template=template, replicas=replicas)
    return Workload(metadata=Metadata(name=name, annotations=annotations), spec=spec)


def step(call, before, key="k 1"):
    return Step(call=call, before=before, key=key, at="2026-01-01T00:00:00Z", model_env="MODEL")


@given(templates)
def test_a_restart_is_the_same_template_and_is_undone_to_the_letter(template):
    one = workload(copy.deepcopy(template))
    before = state_of(RESTARTING, one, [])
    changed = change_of(step(RESTARTING, before), one, []).template
    assert changed is not None
    restarted = workload(changed)
    made = undo_of(RESTARTING, before, one, "MODEL").params["made"]
    back = restoring(made, before, restarted, [])

    assert back is not None
    assert back.template is not None
    assert one.spec.template == template
    assert {RESTARTED, RESTART} <= set(changed["metadata"]["annotations"])
    assert restarted.hash == one.hash
    assert is_made(step(RESTARTING, before), restarted)
    assert not is_made(step(RESTARTING, before, key="k 2"), restarted)
    assert template_hash(back.template) == one.hash
    assert RESTART not in back.template.get("metadata", {}).get("annotations", {})
    assert restoring(made, before, one, []) is None


@given(template=templates, image=names, model=names)
def test_degrading_twice_is_degrading_once(template, image, model):
    call = Call(action="degrade", target="a", params={"image": image, "to": model})
    once = degraded(call, template, "MODEL")
    container = once["spec"]["containers"][0]

    assert degraded(call, once, "MODEL") == once
    assert container["image"] == image
    assert {"name": "MODEL", "value": model} in container["env"]
    assert is_made(step(call, {}), workload(once))


@given(template=templates, label=names)
def test_what_a_replica_set_adds_is_no_other_template(template, label):
    kept = copy.deepcopy(template)
    kept.setdefault("metadata", {}).setdefault("labels", {})["pod-template-hash"] = label

    assert template_hash(kept) == template_hash(template)
    assert (
        "pod-template-hash"
        not in held([workload(kept)], template_hash(template))["metadata"]["labels"]
    )


@given(replicas=st.integers(0, 9), kept=st.none() | st.sampled_from(["4", "junk"]))
def test_disabled_and_enabled_again_there_are_as_many(replicas, kept):
    before = {"replicas": replicas, "kept": kept}
    off = wanted_replicas(Call(action="disable", target="a"), before)
    on = wanted_replicas(Call(action="enable", target="a"), off)

    assert off["replicas"] == 0
    assert on == {"replicas": replicas or (4 if kept == "4" else 1), "kept": None}


def test_a_template_that_is_kept_nowhere_is_told():
    with pytest.raises(ConnectorError, match="revisionHistoryLimit"):
        held([], "0" * 16)


def test_what_somebody_else_scaled_since_is_not_undone():
    made, before = {"replicas": 0, "kept": "3"}, {"replicas": 3, "kept": None}
    with pytest.raises(StateChanged, match=r"replicas 0.*replicas 5"):
        restoring(made, before, workload({}, replicas=5), [])
