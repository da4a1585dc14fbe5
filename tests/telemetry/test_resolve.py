"""Every row of the resolver table: which names give a column, in which order."""

import pyarrow as pa
import pytest

from graphmind.telemetry.facts import RESOLVED
from graphmind.telemetry.resolve import resolve
from graphmind.telemetry.spans import ATTRIBUTES, spans_from_rows
from tests.builders import resolved, span

RUN_ID = "01a201e8-0264-7709-b57e-52bf8cd7c9d6"

# One row a column: (attribute, text) in order of precedence, and the value of each.
ROWS: dict[str, list[tuple[str, str, object]]] = {
    "agent": [
        ("graphmind.agent.id", "a1", "a1"),
        ("gen_ai.agent.name", "a2", "a2"),
        ("agent.name", "a3", "a3"),
        ("graph.node.id", "a4", "a4"),
        ("traceloop.association.properties.langgraph_node", "a5", "a5"),
        ("metadata.langgraph_node", "a6", "a6"),
        ("metadata", '{"langgraph_node": "a7"}', "a7"),
        ("agent_name", "a8", "a8"),
        ("gen_ai.agent.id", "a9", "a9"),
    ],
    "agent_candidate": [("gen_ai.agent.id", RUN_ID, RUN_ID)],
    "agent_fallback": [("baggage.gen_ai.agent.name", "planner", "planner")],
    "namespace": [
        ("service.namespace", "n1", "n1"),
        ("deployment.environment.name", "n2", "n2"),
        ("deployment.environment", "n3", "n3"),
    ],
    "agent_version": [
        ("gen_ai.agent.version", "1", "1"),
        ("service.version", "2", "2"),
    ],
    "instance": [
        ("service.instance.id", "i1", "i1"),
        ("k8s.pod.name", "i2", "i2"),
        ("host.name", "i3", "i3"),
    ],
    "model_version": [
        ("gen_ai.response.model", "m1", "m1"),
        ("llm.response.model_name", "m2", "m2"),
        ("litellm.provider.model", "m3", "m3"),
    ],
    "model_requested": [
        ("gen_ai.request.model", "m1", "m1"),
        ("llm.request.model_name", "m2", "m2"),
        ("llm.model_name", "m3", "m3"),
        ("litellm.model_group", "m4", "m4"),
        ("llm.model", "m5", "m5"),
        ("embedding.model_name", "m6", "m6"),
        ("model_name", "m7", "m7"),
    ],
    "provider": [
        ("gen_ai.provider.name", "p1", "p1"),
        ("gen_ai.system", "p2", "p2"),
        ("llm.provider", "p3", "p3"),
        ("llm.system", "p4", "p4"),
    ],
    "prompt_version": [
        ("gen_ai.prompt.name", "triage", "triage"),
        ("traceloop.prompt.key", "router", "router"),
        ("llm.prompt_template.version", "v9", "v9"),
    ],
    "tool": [
        ("gen_ai.tool.name", "search", "search"),
        ("tool.name", "lookup", "lookup"),
        ("mcp.method.name", "tools/call", "tools/call"),
    ],
    "module": [
        ("code.function.name", "shop.cart.add", "shop.cart.add"),
        ("code.function", "add", "add"),
        ("gen_ai.tool.name", "search", "search"),
        ("tool.name", "lookup", "lookup"),
        ("traceloop.entity.path", "graph.planner", "graph.planner"),
        ("traceloop.entity.name", "planner", "planner"),
    ],
    "region": [
        ("cloud.region", "eu-west-1", "eu-west-1"),
        ("aws.region", "eu-west-2", "eu-west-2"),
        ("faas.region", "eu-west-3", "eu-west-3"),
        ("k8s.cluster.name", "cluster-7", "cluster-7"),
        ("deployment.region", "north", "north"),
        ("region", "south", "south"),
        ("cloud.availability_zone", "us-east-1b", "us-east-1"),
    ],
    "kv_key": [
        ("graphmind.kv.key", "k1", "k1"),
        ("db.redis.key", "k2", "k2"),
        ("redis.key", "k3", "k3"),
        ("cache.key", "k4", "k4"),
        ("db.query.text", "GET k5", "k5"),
        ("db.statement", "SET k6 v", "k6"),
        ("redis.raw_command", "HGET k7 field", "k7"),
    ],
    "task": [
        ("gen_ai.task.name", "t1", "t1"),
        ("traceloop.workflow.name", "t2", "t2"),
        ("gen_ai.workflow.name", "t3", "t3"),
    ],
    "task_id": [
        ("graphmind.task.id", "j1", "j1"),
        ("a2a.task.id", "j2", "j2"),
        ("gen_ai.task.id", "j3", "j3"),
    ],
    "conversation": [
        ("gen_ai.conversation.id", "c1", "c1"),
        ("session.id", "c2", "c2"),
        ("traceloop.association.properties.thread_id", "c3", "c3"),
        ("metadata.thread_id", "c4", "c4"),
        ("metadata", '{"thread_id": "c5"}', "c5"),
    ],
    "retry_count": [
        ("graphmind.retry.count", "1", 1),
        ("http.request.resend_count", "2", 2),
        ("retry.count", "3", 3),
        ("retry_count", "4", 4),
        ("attempt", "5", 5),
        ("http.response.header.x-litellm-attempted-retries", '["6"]', 6),
    ],
    "fallback": [
        ("graphmind.fallback", "true", True),
        ("http.response.header.x-litellm-attempted-fallbacks", '["1"]', True),
    ],
    "handoff_from": [
        ("gen_ai.handoff.from_agent", "planner", "planner"),
        ("graph.node.parent_id", "router", "router"),
    ],
    "handoff_to": [("gen_ai.handoff.to_agent", "worker", "worker")],
}
CASES = [
    pytest.param(column, rows[first:], id=f"{column}-{rows[first][0]}")
    for column, rows in ROWS.items()
    for first in range(len(rows))
]


def one(column, attributes, **fields):
    """Resolve a column of one span."""
    return resolved([span("s", attributes=attributes, **fields)])[column][0].as_py()


@pytest.mark.parametrize(("column", "rows"), CASES)
def test_of_the_names_a_span_carries_the_first_in_the_table_speaks(column, rows):
    attributes = {name: text for name, text, _ in reversed(rows)}

    assert one(column, attributes) == rows[0][2]


@pytest.mark.parametrize(("column", "rows"), CASES)
def test_a_name_is_read_from_the_resource_where_the_span_lacks_it(column, rows):
    name, text, value = rows[0]

    assert one(column, {}, service=None, resource={name: text}) == value


def test_the_span_speaks_before_its_resource():
    region = one("region", {"cloud.region": "span"}, resource={"cloud.region": "resource"})

    assert region == "span"


def test_a_better_name_on_the_resource_speaks_before_a_lesser_one_on_the_span():
    assert one("region", {"region": "lesser"}, resource={"cloud.region": "better"}) == "better"


def test_an_empty_text_is_no_hit():
    assert one("module", {"traceloop.entity.path": "", "traceloop.entity.name": "x"}) == "x"


def test_the_service_comes_from_the_resource():
    assert one("service", {}, service="checkout") == "checkout"


def test_an_agent_id_that_is_a_uuid_names_a_run_and_is_only_a_candidate():
    row = span("s", attributes={"gen_ai.agent.id": RUN_ID})

    spans = resolved([row])

    assert (spans["agent"][0].as_py(), spans["agent_candidate"][0].as_py()) == (None, RUN_ID)


@pytest.mark.parametrize("framework", ["langgraph", "LangChain", "crewai"])
def test_a_framework_is_no_provider(framework):
    attributes = {"gen_ai.provider.name": framework, "llm.provider": "acme"}

    assert one("provider", attributes) == "acme"


@pytest.mark.parametrize(
    ("attributes", "prompt"),
    [
        ({"gen_ai.prompt.name": "triage", "gen_ai.prompt.version": "7"}, "triage@7"),
        ({"traceloop.prompt.key": "triage", "traceloop.prompt.version": "7"}, "triage@7"),
        ({"llm.prompt_template.version": "7"}, "7"),
    ],
)
def test_a_prompt_is_named_with_its_version(attributes, prompt):
    assert one("prompt_version", attributes) == prompt


def test_the_old_names_of_a_function_make_one_module():
    attributes = {"code.namespace": "shop.cart", "code.function": "add"}

    assert one("module", attributes) == "shop.cart.add"


@pytest.mark.parametrize(
    ("name", "scope", "module"),
    [
        ("InferenceRPC", "agent-platform", "InferenceRPC"),
        ("GET /users/7", "flask.app", "flask.app"),
        ("GET", "opentelemetry.instrumentation.redis", "opentelemetry.instrumentation.redis"),
        ("GET /users/7", None, "GET /users/7"),
    ],
)
def test_without_a_name_of_its_own_the_module_is_the_span_or_the_scope(name, scope, module):
    assert one("module", {}, name=name, scope=scope) == module


@pytest.mark.parametrize("masked", ["?", "user:?", "*", "***"])
def test_a_masked_key_is_refused_and_the_next_name_tried(masked):
    assert one("kv_key", {"graphmind.kv.key": masked, "cache.key": "k"}) == "k"
    assert one("kv_key", {"db.query.text": f"GET {masked}"}) is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('SET "a key" 1', "a key"),
        ("get user:1", "user:1"),
        ("EVAL 'return 1' 2 k1 k2", "k1"),
        ("EVALSHA abc 0", None),
        ("SELECT 3", None),
        ("select * from users", None),
        ("UPDATE users SET a = 1", None),
        ("SCAN 0", None),
        ("PING", None),
        ("GET 'unbalanced", "'unbalanced"),
    ],
)
def test_the_key_of_a_query_is_the_first_key_of_its_command(text, key):
    assert one("kv_key", {"db.query.text": text}) == key


@pytest.mark.parametrize(
    ("command", "op"),
    [
        *((command, "read") for command in "GET MGET HGET HGETALL LRANGE SMEMBERS EXISTS".split()),
        *((command, "write") for command in "SET DEL HSET INCR EXPIRE LPUSH MSET XADD".split()),
        *((command, "both") for command in "GETDEL GETSET EVAL".split()),
        ("PIPELINE GET SET", "both"),
        ("MULTI SET", "write"),
        ("GET SET", "both"),
        ("GET GET", "read"),
        ("get", "read"),
    ],
)
@pytest.mark.parametrize("source", ["db.operation.name", "db.operation", "name"])
def test_a_command_reads_or_writes(command, op, source):
    key = {"graphmind.kv.key": "k"}
    if source == "name":
        assert one("kv_op", key, name=command) == op
    else:
        assert one("kv_op", key | {source: command}) == op


@pytest.mark.parametrize(
    ("text", "op"), [("GET k", "read"), ("SET k GET", "write"), ("SET k 1\nGET k", "both")]
)
def test_a_query_reads_or_writes_by_the_first_word_of_each_line(text, op):
    assert one("kv_op", {"db.query.text": text}) == op


def test_the_operation_speaks_before_the_query_and_the_query_before_the_span_name():
    attributes = {"db.query.text": "SET k 1"}

    assert one("kv_op", attributes | {"db.operation.name": "GET"}, name="GETDEL") == "read"
    assert one("kv_op", attributes, name="GET") == "write"


def test_a_key_without_a_known_command_was_read():
    assert one("kv_op", {"graphmind.kv.key": "k"}, name="remember") == "read"


def test_a_span_without_a_key_has_no_access():
    assert one("kv_op", {"db.operation.name": "GET"}) is None


@pytest.mark.parametrize(
    ("operation", "op"),
    [
        ("search_memory", "read"),
        ("create_memory", "write"),
        ("update_memory", "write"),
        ("upsert_memory", "write"),
        ("delete_memory_store", "write"),
    ],
)
def test_an_agents_memory_is_state_like_any_other(operation, op):
    attributes = {"gen_ai.operation.name": operation, "gen_ai.memory.store.id": "m"}

    assert (one("kv_key", attributes), one("kv_op", attributes)) == ("m", op)


@pytest.mark.parametrize(
    ("attributes", "store"),
    [
        ({"db.system.name": "redis", "db.system": "old"}, "redis"),
        ({"db.system": "redis", "server.address": "one-of-many-replicas"}, "redis"),
        ({"db.system.name": "redis", "db.namespace": "2"}, "redis/2"),
        ({"db.system": "redis", "db.redis.database_index": "0"}, "redis/0"),
        ({"graphmind.kv.store": "sessions", "db.system": "redis"}, "sessions"),
        ({}, None),
    ],
)
def test_a_store_is_a_system_and_a_database_at_any_address(attributes, store):
    assert one("kv_store", attributes | {"graphmind.kv.key": "k"}) == store


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("eu-west-1a", "eu-west-1"),
        ("europe-west4-b", "europe-west4"),
        ("2", None),
    ],
)
def test_a_zone_lies_in_a_region(zone, region):
    assert one("region", {"cloud.availability_zone": zone}) == region


@pytest.mark.parametrize(
    ("attributes", "endpoint"),
    [
        ({"url.full": "https://user:pw@api.example/v1/run?token=1"}, "api.example/v1/run"),
        ({"server.address": "kv-1", "server.port": "6379"}, "kv-1:6379"),
        ({"server.address": "kv-1"}, "kv-1"),
    ],
)
def test_an_endpoint_holds_no_secret_and_nothing_of_one_request(attributes, endpoint):
    assert one("endpoint", attributes) == endpoint


ERROR_CODES = [
    ("error.type", "timeout", "timeout"),
    ("db.response.status_code", "WRONGTYPE", "WRONGTYPE"),
    ("rpc.grpc.status_code", "14", "14"),
    ("rpc.response.status_code", "UNAVAILABLE", "UNAVAILABLE"),
    ("http.response.status_code", "503", "503"),
    ("litellm.provider.error.code", "overloaded", "overloaded"),
]


@pytest.mark.parametrize("first", range(len(ERROR_CODES)))
def test_of_the_error_codes_the_first_in_the_table_speaks(first):
    names = ERROR_CODES[first:]

    assert one("error_code", {n: text for n, text, _ in names}, failed=True) == names[0][2]


def exception(kind):
    return {"name": "exception", "time_ns": 5, "attributes": {"exception.type": kind}}


def test_an_exception_event_names_the_error():
    events = [exception("ValueError"), exception("KeyError")]

    assert one("error_code", {}, failed=True, events=events) == "KeyError"


def test_an_attribute_of_the_span_speaks_before_its_exception_event():
    code = one("error_code", {"error.type": "timeout"}, failed=True, events=[exception("KeyError")])

    assert code == "timeout"


@pytest.mark.parametrize("status", ["200", "302", "nonsense"])
def test_a_status_below_400_is_no_error_code(status):
    assert one("error_code", {"http.response.status_code": status}, failed=True) == "_OTHER"


def test_a_message_is_the_code_of_last_resort_with_its_numbers_masked():
    message = "job 4711 of 8c2e1f00-aa: no answer\nTraceback ..."

    assert one("error_code", {}, failed=True, status_message=message) == "job # of #: no answer"


def test_a_span_that_did_not_fail_has_no_error_code():
    assert one("error_code", {"http.response.status_code": "404"}) is None


@pytest.mark.parametrize(
    ("text", "count"), [("2", 2), ("2.0", 2), ("-1", 0), ("1e300", 2**31 - 1), ("many", None)]
)
def test_a_count_is_a_number_within_its_column(text, count):
    assert one("retry_count", {"retry.count": text}) == count


@pytest.mark.parametrize(
    ("label", "result"), [("incorrect", "wrong"), ("thumbs_down", "wrong"), ("pass", "ok")]
)
def test_a_verdict_on_the_result_is_ok_or_wrong(label, result):
    assert one("result", {"gen_ai.evaluation.score.label": label}) == result


def test_a_label_that_says_neither_is_no_verdict():
    assert one("result", {"gen_ai.evaluation.score.label": "verbose"}) is None


@pytest.mark.parametrize(
    ("attributes", "state", "probability"),
    [
        ({"sampling.probability": "0.25"}, None, 0.25),
        ({"SampleRate": "20"}, None, 0.05),
        ({}, "ot=th:c", 0.25),
        ({}, "vendor=x,ot=rv:1;th:8", 0.5),
        ({"sampling.probability": "0.25"}, "ot=th:8", 0.25),
        ({"SampleRate": "0"}, None, None),
        ({"sampling.probability": "0"}, None, None),
        ({"sampling.probability": "7"}, None, None),
        ({}, "vendor=x", None),
    ],
)
def test_a_sampler_states_the_probability(attributes, state, probability):
    assert one("sample_probability", attributes, trace_state=state) == probability


def test_attributes_that_no_row_of_the_table_knows_are_kept():
    attributes = {"gen_ai.tool.name": "search", "gen_ai.tool.call.id": "7", "mcp.session.id": "s"}

    assert dict(one("attributes", attributes)) == {
        "gen_ai.tool.call.id": "7",
        "mcp.session.id": "s",
    }


def test_a_slice_of_a_batch_resolves_as_its_rows_would_alone():
    rows = [
        span(f"s{n}", attributes={"gen_ai.agent.name": f"a{n}"}, events=[exception(f"E{n}")])
        | {"status": 2}
        for n in range(6)
    ]

    part = resolve(spans_from_rows(rows).slice(2, 3))

    assert part.to_pylist() == resolve(spans_from_rows(rows[2:5])).to_pylist()


def test_an_empty_batch_resolves_to_nothing():
    empty = resolve(spans_from_rows([]))

    assert (empty.num_rows, empty.schema) == (0, RESOLVED)


def test_an_attribute_of_five_megabytes_is_kept_whole():
    huge = "x" * (5 << 20)

    assert dict(one("attributes", {"prompt": huge})) == {"prompt": huge}


def test_a_name_given_twice_answers_with_the_first():
    batch = spans_from_rows([span("s")])
    twice = pa.array([[("region", "first"), ("region", "second")]], ATTRIBUTES)
    column = batch.schema.get_field_index("attributes")

    assert resolve(batch.set_column(column, "attributes", twice))["region"].to_pylist() == ["first"]
