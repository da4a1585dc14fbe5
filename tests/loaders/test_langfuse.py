import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from graphmind_loaders import langfuse

from tests.contracts.trace_source import TRACE, TRACE_ID, Plain, TraceSourceContract, rows
from tests.loaders.reading import read, spans


def iso(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1e6, UTC).isoformat().replace("+00:00", "Z")


def observation(plain: Plain, **fields) -> dict:
    return {
        "id": plain.span_id,
        "traceId": plain.trace_id,
        "parentObservationId": plain.parent_id,
        "type": "SPAN",
        "name": plain.name,
        "startTime": iso(plain.start_us),
        "endTime": iso(plain.end_us),
        "level": "ERROR" if plain.failed else "DEFAULT",
        "metadata": json.dumps({"resourceAttributes": {"service.name": "shop"}}),
    } | fields


class TestLangfuse(TraceSourceContract):
    source = langfuse

    def write(self, spans: Sequence[Plain]) -> bytes:
        trace = {"id": TRACE_ID, "projectId": "p", "timestamp": iso(0)}
        return json.dumps({"trace": trace, "observations": list(map(observation, spans))}).encode()


class TestLangfuseTraceWithObservationsWithin(TestLangfuse):
    def write(self, spans: Sequence[Plain]) -> bytes:
        trace = {"id": TRACE_ID, "observations": list(map(observation, spans))}
        return json.dumps(trace, indent=2).encode()


class TestLangfuseObservations(TestLangfuse):
    """A page of observations."""

    def write(self, spans: Sequence[Plain]) -> bytes:
        return json.dumps({"data": list(map(observation, spans)), "meta": {"page": 1}}).encode()


class TestLangfuseLines(TestLangfuse):
    def write(self, spans: Sequence[Plain]) -> bytes:
        return b"\n".join(json.dumps(observation(span)).encode() for span in spans)


def test_a_generation_is_read_whole():
    metadata = {
        "attributes": {"gen_ai.response.model": "m-1", "n": 3},
        "resourceAttributes": {"service.name": "shop"},
        "scope": {"name": "lib"},
        "langgraph_node": "plan",
    }
    generation = observation(
        TRACE[2],
        type="GENERATION",
        model="m",
        promptName="greet",
        promptVersion=10,
        statusMessage="timed out",
        environment="live",
        input={"a": 1},
        output="x",
        usageDetails={"input": 5, "output": 6},
        metadata=metadata,
    )
    trace = {"name": "chat", "userId": "u", "sessionId": "s", "release": "r", "version": "v"}

    file = json.dumps({"trace": trace, "observations": [generation]}).encode()

    [found] = spans(langfuse, file)
    assert dict(found.pop("attributes")) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.response.model": "m-1",
        "gen_ai.prompt.name": "greet",
        "gen_ai.prompt.version": "10",
        "gen_ai.usage.input_tokens": "5",
        "gen_ai.usage.output_tokens": "6",
        "deployment.environment.name": "live",
        "session.id": "s",
        "user.id": "u",
        "langfuse.trace.name": "chat",
        "langfuse.release": "r",
        "langfuse.version": "v",
        "langfuse.observation.type": "generation",
        "langfuse.observation.level": "ERROR",
        "input.value": '{"a":1}',
        "output.value": "x",
        "metadata": '{"langgraph_node":"plan"}',
        "n": "3",
    }
    assert found == {
        "trace_id": TRACE_ID,
        "span_id": TRACE[2].span_id,
        "parent_span_id": TRACE[1].span_id,
        "name": "op-2.",
        "kind": 0,
        "start_ns": TRACE[2].start_us * 1000,
        "end_ns": TRACE[2].end_us * 1000,
        "status": 2,
        "status_message": "timed out",
        "trace_state": None,
        "scope": "lib",
        "resource": [("service.name", "shop")],
        "events": [],
        "links": [],
    }


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("AGENT", {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "op-0."}),
        ("TOOL", {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "op-0."}),
        ("SPAN", {}),
    ],
)
def test_agents_and_tools_are_named_by_their_observations(kind, named):
    [found] = spans(langfuse, json.dumps(observation(TRACE[0], type=kind)).encode())

    attributes = dict(found["attributes"])
    assert {key: value for key, value in attributes.items() if key.startswith("gen_ai")} == named


def test_an_event_ends_when_it_starts():
    file = json.dumps(observation(TRACE[0], type="EVENT", endTime=None)).encode()

    [found] = spans(langfuse, file)

    assert found["end_ns"] == found["start_ns"]


@pytest.mark.parametrize(
    ("metadata", "text"),
    [("free text", '{"text":"free text"}'), ([1], '{"text":[1]}'), (None, None), ("{}", None)],
)
def test_metadata_of_any_shape_is_kept(metadata, text):
    [found] = spans(langfuse, json.dumps(observation(TRACE[0], metadata=metadata)).encode())

    assert dict(found["attributes"]).get("metadata") == text


def test_an_observation_of_another_shape_is_counted_and_the_others_are_read():
    odd = [observation(TRACE[0], startTime="noon"), observation(TRACE[0], name=[])]
    file = json.dumps([{"observations": [*odd, observation(TRACE[1])]}, 7, {"a": 1}]).encode()

    batches, rejected = read(langfuse, file)

    assert rows(batches) == [TRACE[1].row]
    assert rejected.counts == {"record of another shape": 2, "not traces": 2}
