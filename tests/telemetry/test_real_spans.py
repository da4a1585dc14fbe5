"""What seven agent instrumentations really emitted, resolved and assembled.

The spans are recorded outside the checkout; the table of what each sends is sources.md, 1.2.
"""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from graphmind_loaders import otel_python

from graphmind.telemetry.assembly import assemble
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolve import resolve

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "server-replies"
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded spans are not here")


def recorded(instrumentation: str) -> pa.Table:
    rejected = Rejections()
    with (RECORDED / f"spans-{instrumentation}.jsonl").open("rb") as file:
        spans = assemble(
            pa.Table.from_batches([resolve(batch) for batch in otel_python.read(file, rejected)])
        )
    assert rejected.counts == {}
    return spans


def values(spans: pa.Table, column: str) -> set[Any]:
    return set(spans[column].to_pylist()) - {None}


@pytest.mark.parametrize(
    ("instrumentation", "agents"),
    [
        ("lg-llmetry", {"triage", "planner", "worker"}),
        ("lg-oi", {"planner", "worker"}),
        ("lg-otel", set()),
        ("oa-llmetry", {"planner", "worker"}),
        ("oa-oi", {"planner", "worker"}),
        ("oa-otel", {"planner", "worker"}),
        ("pai", {"planner"}),
    ],
)
def test_the_agents_are_named_and_no_run_is_taken_for_one(instrumentation, agents):
    spans = recorded(instrumentation)

    assert values(spans.filter(spans["agent_named"]), "agent") == agents


@pytest.mark.parametrize(
    ("instrumentation", "model"), [("oa-llmetry", "gpt-x"), ("oa-oi", "gpt-x"), ("pai", "test")]
)
def test_the_model_is_named(instrumentation, model):
    assert values(recorded(instrumentation), "model_version") == {model}


@pytest.mark.parametrize("instrumentation", ["oa-oi", "oa-llmetry"])
def test_the_handoff_is_seen(instrumentation):
    assert "planner" in values(recorded(instrumentation), "handoff_from")


def test_a_framework_is_no_provider():
    assert values(recorded("lg-llmetry"), "provider") == set()


def test_the_thread_is_the_conversation():
    assert values(recorded("lg-llmetry"), "conversation") == {"th-1"}
    assert values(recorded("lg-oi"), "conversation") == {"th-1"}


def test_the_tool_is_named():
    assert values(recorded("pai"), "tool") == {"lookup"}
