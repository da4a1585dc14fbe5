"""What is true of a simulated window, noted while its traces go by."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, Final

from graphmind.simulation.incidents import Item, Planted
from graphmind.simulation.program import inference_address
from graphmind.simulation.simulate import Simulation
from graphmind.simulation.window import Trace

MS_NS: Final = 1_000_000


class Ledger:
    """Notes which incident showed in which trace."""

    def __init__(self, simulation: Simulation) -> None:
        """Start with nothing noted."""
        self._simulation = simulation
        self._traces = 0
        self._failed_naturally: list[str] = []
        self._struck: defaultdict[int, list[str]] = defaultdict(list)
        self._mended: defaultdict[int, list[str]] = defaultdict(list)

    def note(self, traces: Iterable[Trace]) -> Iterator[Trace]:
        """Pass traces on, noting each."""
        for trace in traces:
            self._traces += 1
            for index in trace.struck:
                self._struck[index].append(trace.trace_id)
            for index in trace.mended:
                self._mended[index].append(trace.trace_id)
            if trace.failed and not trace.struck:
                self._failed_naturally.append(trace.trace_id)
            yield trace

    def truth(self) -> dict[str, Any]:
        """Return the document of ``truth.json``; complete once all traces have gone by."""
        scenario = self._simulation.scenario
        return {
            "seed": scenario.seed,
            "scenario": asdict(scenario),
            "traces": self._traces,
            "incidents": [self._incident(planted) for planted in self._simulation.incidents],
            "failed_naturally": sorted(self._failed_naturally),
            "rollouts": [
                {"kind": kind, "name": name, "from_ms": rollout.from_ns // MS_NS}
                for rollout in self._simulation.rollouts
                for kind, name in (rollout.item,)
            ],
        }

    def _incident(self, planted: Planted) -> dict[str, Any]:
        return {
            "kind": planted.kind,
            "all_of": _items(planted.all_of),
            "same_as": _items(_same_as(planted)),
            "symptom": planted.symptom,
            "root_module": planted.root_module or None,
            "onset_ms": planted.onset_ns // MS_NS,
            "until_ms": planted.until_ns // MS_NS,
            "rolled_out": planted.rolled_out,
            "strength": dict(planted.strength),
            "trace_ids": sorted(self._struck[planted.index]),
            "mended_trace_ids": sorted(self._mended[planted.index]),
        }


def _items(items: Iterable[Item]) -> list[dict[str, str]]:
    return [{"kind": kind, "name": name} for kind, name in items]


def _same_as(planted: Planted) -> tuple[Item, ...]:
    """Return the other items that name exactly the same calls: a model's address is its region."""
    if planted.kind != "model_in_region":
        return ()
    model, (_, region) = planted.all_of
    return model, ("endpoint", inference_address(region))
