"""A tail sampler: it keeps every trace with an error, and a share of the others."""

from collections.abc import Iterable, Iterator
from random import Random

from graphmind.simulation.scenario import Scenario
from graphmind.simulation.window import Trace
from graphmind.telemetry.spans import STATUS_ERROR


def keep(traces: Iterable[Trace], scenario: Scenario) -> Iterator[Trace]:
    """Yield the traces kept; if not all are, each span states the probability of its trace."""
    if scenario.healthy_share >= 1.0:
        yield from traces
        return
    random = Random(f"{scenario.seed}/sampling")  # noqa: S311 - reproducible, not secret
    for trace in traces:
        failed = any(span.status == STATUS_ERROR for span in trace.spans)
        probability = 1.0 if failed else scenario.healthy_share
        if random.random() < probability:
            for span in trace.spans:
                span.attributes["sampling.probability"] = probability
            yield trace
