import pyarrow as pa

from graphmind.jobs.root_cause import failing_exactly
from graphmind.telemetry.facts import ACCESSES, ITEMS, SYMPTOMS, TRACES, Facts


def window(symptoms):
    """Facts of traces a to d, each from 100 to 107, with these symptoms."""
    traces = [{"trace_id": name, "start_ns": 100, "duration_ns": 7} for name in "abcd"]
    names = ("trace_id", "kind", "channel", "began_ns")
    return Facts(
        traces=pa.Table.from_pylist(traces, schema=TRACES),
        symptoms=pa.Table.from_pylist(
            [dict(zip(names, row, strict=True)) for row in symptoms], schema=SYMPTOMS
        ),
        items=ITEMS.empty_table(),
        accesses=ACCESSES.empty_table(),
    )


def shown(facts):
    columns = ("trace_id", "kind", "channel", "began_ns")
    return {tuple(row[name] for name in columns) for row in facts.symptoms.to_pylist()}


def test_the_given_traces_fail_in_one_channel_and_no_other_trace_does():
    facts = window([("a", "slow", "latency", 103), ("a", "wrong", "quality", 105)])
    others = window([("d", "error", "error", 101)])

    failing = failing_exactly(facts, pa.array(["a", "x"]))

    assert shown(failing) == {("a", "slow", "error", 103), ("a", "wrong", "error", 105)}
    assert shown(failing_exactly(others, pa.array(["x"]))) == set()


def test_a_given_trace_without_a_symptom_failed_when_it_ended():
    facts = window([("b", "missing", None, 102), ("c", "hang", "latency", 104)])

    failing = failing_exactly(facts, pa.array(["a", "b", "c"]))

    assert shown(failing) == {
        ("a", "error", "error", 107),
        ("b", "error", "error", 107),
        ("c", "hang", "error", 104),
    }
