"""The outline of a trace: its root, its task, the job it is an attempt of."""

from graphmind.telemetry.assembly import Columns
from graphmind.telemetry.outline import Outline, outline
from tests.builders import Row, assembled, at, span


def outlined(*rows: Row) -> tuple[Outline, list[str]]:
    spans = assembled(rows)
    traces = outline(spans, Columns.of(spans))
    return traces, [spans["span_id"][row].as_py() for row in traces.root.tolist()]


def many(count: int, task_id: str, **attributes: str) -> list[Row]:
    """One span a trace; ``task_id`` may hold the trace's number."""
    return [
        span(
            "checkout",
            n,
            n + 5,
            trace=f"t{n:03}",
            attributes={"graphmind.task.id": task_id.format(n), **attributes},
        )
        for n in range(count)
    ]


def test_a_trace_runs_from_its_first_start_to_its_last_end():
    traces, _ = outlined(span("root", 0, 50), span("late", 10, 90, parent="root"))

    assert (traces.start.tolist(), traces.end.tolist()) == ([at(0)], [at(90)])


def test_the_root_is_the_first_span_without_a_parent():
    _, roots = outlined(span("b", 5), span("a", 3), span("stray", 0, parent="lost"))

    assert roots == ["a"]


def test_without_a_root_the_first_orphan_stands_in():
    traces, roots = outlined(span("b", 5, parent="lost"), span("a", 3, parent="lost"))

    assert (roots, traces.rooted.tolist(), traces.task.to_pylist()) == (["a"], [False], [""])


def test_a_trace_is_complete_with_one_root_no_orphan_and_all_ended():
    def complete(*rows: Row) -> bool:
        return bool(outlined(*rows)[0].complete[0])

    child = span("child", parent="root")

    assert complete(span("root"), child)
    assert not complete(span("root"), span("root2"), child)
    assert not complete(span("root"), child, span("stray", parent="lost"))
    assert not complete(span("root"), child, span("open", 0, None, parent="root"))


def test_spans_and_errors_are_counted():
    traces, _ = outlined(span("root"), span("a", parent="root", failed=True))

    assert (traces.spans.tolist(), traces.errors.tolist()) == ([2], [1])


def test_the_task_is_named_by_an_attribute_else_by_the_root():
    named = span("r", trace="a", attributes={"gen_ai.workflow.name": "triage"})

    traces, _ = outlined(named, span("checkout", 1, trace="b"))

    assert traces.task.to_pylist() == ["triage", "checkout"]
    assert traces.stratum.tolist() == [0, 1]


def test_a_task_id_for_every_trace_names_jobs():
    traces, _ = outlined(*many(30, "job-{}"))

    assert set(traces.task.to_pylist()) == {"checkout"}
    assert traces.unit.to_pylist() == [f"job-{n}" for n in range(30)]


def test_attempts_of_one_job_are_one_unit():
    traces, _ = outlined(*many(3, "job-1"))

    assert traces.unit.to_pylist() == ["job-1"] * 3


def test_a_few_task_ids_over_many_traces_name_kinds_of_tasks():
    traces, _ = outlined(*many(30, "billing"))

    assert set(traces.task.to_pylist()) == {"billing"}
    assert traces.unit.to_pylist() == [f"t{n:03}" for n in range(30)]


def test_without_any_id_a_trace_is_its_own_unit():
    traces, _ = outlined(span("checkout"))

    assert traces.unit.to_pylist() == ["t"]
