"""The truth must follow from the spans: what struck a trace lies in its spans, before it failed."""

from collections import defaultdict

import pytest

from graphmind.simulation.incidents import INCIDENT_KINDS
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from graphmind.simulation.truth import Ledger
from graphmind.telemetry.facts import ITEM_KINDS
from graphmind.telemetry.spans import STATUS_ERROR

ATTRIBUTES = {
    "agent": "gen_ai.agent.name",
    "tool": "gen_ai.tool.name",
    "model_version": "gen_ai.response.model",
    "kv_key": "graphmind.kv.key",
}


def items_of(span):
    """Items of a span as (kind, name), by the attribute names of the conventions."""
    yield "region", span.process.region
    yield "instance", span.process.instance
    for kind, name in ATTRIBUTES.items():
        if name in span.attributes:
            yield kind, span.attributes[name]
    if "gen_ai.prompt.name" in span.attributes:
        prompt, version = (span.attributes[f"gen_ai.prompt.{end}"] for end in ("name", "version"))
        yield "prompt_version", f"{prompt}@{version}"
    if "url.full" in span.attributes:
        yield "endpoint", span.attributes["url.full"].removeprefix("https://").partition("?")[0]


def before_failure(trace):
    """Spans that began before the platform dealt with a failure of the whole task."""
    handled = [span.start_ns for span in trace.spans if span.name == "ErrorHandler"]
    return [span for span in trace.spans if not handled or span.start_ns < handled[0]]


def planted(kind, seed=1, traces=3000):
    simulation = simulate(Scenario(seed=seed, traces=traces, incidents=1, kinds=(kind,)))
    ledger = Ledger(simulation)
    return [*ledger.note(simulation.traces())], ledger.truth()


def test_kinds_of_incident_are_caused_by_kinds_of_item():
    assert {item for kind in INCIDENT_KINDS.values() for item in kind.on} <= set(ITEM_KINDS)


def test_a_quiet_window_has_failures_and_no_incident():
    simulation = simulate(Scenario(seed=1, traces=1000, incidents=3, quiet=True))
    ledger = Ledger(simulation)
    traces = [*ledger.note(simulation.traces())]
    truth = ledger.truth()

    assert truth["incidents"] == []
    assert truth["traces"] == len(traces)
    assert truth["failed_naturally"] == sorted(t.trace_id for t in traces if t.failed)
    assert 0.002 < len(truth["failed_naturally"]) / 1000 < 0.03


def test_incidents_of_one_window_have_no_item_in_common():
    simulation = simulate(Scenario(seed=4, traces=5000, incidents=4))

    items = [item for incident in simulation.incidents for item in incident.all_of]
    assert len(simulation.incidents) == 4
    assert len(items) == len(set(items))


@pytest.mark.slow
@pytest.mark.parametrize("kind", INCIDENT_KINDS)
def test_every_kind_strikes_at_least_25_traces_in_5000(kind):
    _, truth = planted(kind, traces=5000)

    (incident,) = truth["incidents"]
    assert len(incident["trace_ids"]) >= 25


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(INCIDENT_KINDS.keys() - {"writer_poisons"}))
def test_struck_traces_met_the_cause_before_they_failed(kind):
    traces, truth = planted(kind)
    (incident,) = truth["incidents"]
    causes = {(item["kind"], item["name"]) for item in incident["all_of"]}
    struck = set(incident["trace_ids"])

    for trace in traces:
        if trace.trace_id in struck:
            assert causes <= {item for span in before_failure(trace) for item in items_of(span)}


@pytest.mark.slow
def test_readers_struck_by_a_writer_read_what_it_had_written_last():
    traces, truth = planted("writer_poisons")
    (incident,) = truth["incidents"]
    writes = written(traces)
    writer = incident["all_of"][0]["name"]
    struck = set(incident["trace_ids"])

    for trace in traces:
        if trace.trace_id in struck:
            reads = [span for span in before_failure(trace) if span.name == "GET"]
            assert writer in {last_writer(writes, read) for read in reads}


def written(traces):
    """Key -> (when, agent) of its writes, ascending."""
    writes = defaultdict(list)
    for trace in traces:
        spans = {span.span_id: span for span in trace.spans}
        for span in trace.spans:
            if span.name == "SET" and span.status != STATUS_ERROR:
                agent = spans[span.parent_span_id].attributes["gen_ai.agent.name"]
                writes[span.attributes["graphmind.kv.key"]].append((span.end_ns, agent))
    return {key: sorted(times) for key, times in writes.items()}


def last_writer(writes, read):
    before = [
        w for w in writes.get(read.attributes["graphmind.kv.key"], ()) if w[0] <= read.start_ns
    ]
    return before[-1][1] if before else None
