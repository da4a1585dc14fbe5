"""Counts requests exactly when they have matured, and pairs them with bystanders.

A request counts at start + wait, whatever was known of it earlier: counted as they end, the quick
healthy ones would come first and the hanging ones never.
"""

import bisect
import heapq
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from graphmind.verification.evidence import Pairs, Stream
from graphmind.verification.options import Options
from graphmind.verification.request import RootRequest
from graphmind.verification.words import BYSTANDER, METRICS, TREATED, Group, Metric

Integers = NDArray[np.int64]


class Matured(NamedTuple):
    """One request that counts now, by one metric."""

    metric: Metric
    group: Group
    stratum: int
    start_s: float
    """Seconds after the repair."""
    bad: bool


class Ripening:
    """Requests that wait for their time to count; ids are remembered a little longer."""

    def __init__(self, *, executed_ms: int, options: Options) -> None:
        self._executed_ms = executed_ms
        self._options = options
        self._requests: dict[str, RootRequest] = {}
        self._left: dict[str, int] = {}
        """Metrics it has still to count for."""
        self._due: list[tuple[int, int, str, int]] = []
        """(due, start, id, metric), a heap: in order of start within a metric."""
        self._counted: dict[str, int] = {}
        """Start of requests counted by every metric, kept so that none counts twice."""
        self._now_ms = executed_ms

    def __len__(self) -> int:
        """Return how many requests are held."""
        return len(self._requests)

    def feed(self, request: RootRequest) -> bool:
        """Take a request, or what is newly known of one; return whether it counts or will.

        What started within the grace after the repair is dropped, and so is what comes too late.
        """
        name, known = request.request_id, self._requests.get(request.request_id)
        if name in self._counted:
            return True
        if known is not None:
            # What decides its group, and its place in the order, stay as they were at its start.
            self._requests[name] = replace(request, group=known.group, stratum=known.stratum)
            return True
        start_ms = request.start_ms
        if (start_ms - self._executed_ms) / 1000 < self._options.grace_s:
            return False
        if start_ms + self._options.late_max_s * 1000 < self._now_ms:
            return False
        self._hold(request, start_ms, range(len(METRICS)))
        return True

    def due(self, now_ms: int) -> Iterator[Matured]:
        """Yield what counts by now, in order of start within each metric."""
        self._now_ms = max(self._now_ms, now_ms)
        while self._due and self._due[0][0] <= now_ms:
            due_ms, start_ms, name, number = heapq.heappop(self._due)
            request, metric = self._requests[name], METRICS[number]
            self._left[name] -= 1
            if not self._left[name]:
                del self._requests[name], self._left[name]
                self._counted[name] = start_ms
            yield Matured(
                metric=metric,
                group=request.group,
                stratum=request.stratum,
                start_s=(start_ms - self._executed_ms) / 1000,
                bad=request.outcome(metric, due_ms),
            )
        self._forget()

    def document(self) -> dict[str, Any]:
        """Return the state as JSON-ready names and values."""
        waiting: dict[str, list[int]] = {}
        starts: dict[str, int] = {}
        for _, start_ms, name, number in self._due:
            waiting.setdefault(name, []).append(number)
            starts[name] = start_ms
        return {
            "now_ms": self._now_ms,
            "open": [
                [self._requests[name].document(), starts[name], sorted(numbers)]
                for name, numbers in sorted(waiting.items())
            ],
            "counted": list(self._counted.items()),
        }

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take up what ``document`` returned."""
        self._now_ms = document["now_ms"]
        self._counted = dict(document["counted"])
        for request, start_ms, numbers in document["open"]:
            self._hold(RootRequest.of(request), start_ms, numbers)

    def _hold(self, request: RootRequest, start_ms: int, numbers: Any) -> None:
        name = request.request_id
        self._requests[name], self._left[name] = request, len(numbers)
        for number in numbers:
            wait_ms = round(self._options.wait_of_s(METRICS[number]) * 1000)
            heapq.heappush(self._due, (start_ms + wait_ms, start_ms, name, number))

    def _forget(self) -> None:
        # Insertion is nearly in order of start, so the first that is to stay ends the search.
        oldest_ms = self._now_ms - self._options.late_max_s * 1000
        while self._counted:
            name = next(iter(self._counted))
            if self._counted[name] >= oldest_ms:
                break
            del self._counted[name]


class Tally:
    """Counts since each start offset, of single requests and of pairs with bystanders."""

    def __init__(self, *, strata: int, options: Options) -> None:
        self._options = options
        self._offsets = options.offsets_s
        shape = (len(self._offsets), strata)
        self._streams: dict[tuple[Group, Metric], Integers] = {
            key: np.zeros((2, *shape), np.int64) for key in options.measured
        }
        self._pairs: dict[tuple[Group, Metric], Integers] = {
            (group, metric): np.zeros((3, *shape), np.int64)
            for group in TREATED
            for metric in METRICS
        }
        self._unpaired: dict[tuple[Group, Metric, int], tuple[_Waiting, _Waiting]] = {
            (*key, stratum): ([], []) for key in self._pairs for stratum in range(strata)
        }
        """(the group's, the bystanders') requests that found no partner yet, by start."""

    def stream(self, group: Group, metric: Metric, since_s: float) -> Stream:
        """Return the matured requests that started at least so long after the repair."""
        n, bad = self._streams[group, metric][:, self._offsets.index(since_s)]
        return Stream(n, bad)

    def pairs(self, group: Group, metric: Metric, since_s: float) -> Pairs:
        """Return the pairs both of which started at least so long after the repair."""
        n, only_own, only_control = self._pairs[group, metric][:, self._offsets.index(since_s)]
        return Pairs(n, only_own, only_control)

    def add(self, one: Matured) -> None:
        """Count a request and pair it with the earliest that waits for a partner."""
        self._streams[one.group, one.metric][
            :, : bisect.bisect_right(self._offsets, one.start_s), one.stratum
        ] += np.array([[1], [one.bad]])
        for group in TREATED if one.group == BYSTANDER else (one.group,):
            self._pair(one, group)

    def document(self) -> dict[str, Any]:
        """Return the counts as JSON-ready names and values."""
        return {
            "streams": {f"{g}/{m}": held.tolist() for (g, m), held in self._streams.items()},
            "pairs": {f"{g}/{m}": held.tolist() for (g, m), held in self._pairs.items()},
            "unpaired": [
                [*key, *map(list, sides)] for key, sides in self._unpaired.items() if any(sides)
            ],
        }

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take up what ``document`` returned."""
        for kind, held in (("streams", self._streams), ("pairs", self._pairs)):
            for group, metric in held:
                held[group, metric] = np.array(document[kind][f"{group}/{metric}"], np.int64)
        for group, metric, stratum, own, control in document["unpaired"]:
            sides = [(start, bool(bad)) for start, bad in own], [(s, bool(b)) for s, b in control]
            self._unpaired[group, metric, stratum] = sides

    def _pair(self, one: Matured, group: Group) -> None:
        own, control = self._unpaired[group, one.metric, one.stratum]
        is_control = one.group == BYSTANDER
        mine, others = (control, own) if is_control else (own, control)
        partner = _partner(others, one.start_s, self._options.apart_s)
        if partner is None:
            bisect.insort(mine, (one.start_s, one.bad))
            # Nobody who comes in order can pair with what is older than this.
            _partner(mine, one.start_s, self._options.apart_s, take=False)
            return
        start_s, bad = partner
        own_bad, control_bad = (bad, one.bad) if is_control else (one.bad, bad)
        since = bisect.bisect_right(self._offsets, min(start_s, one.start_s))
        self._pairs[group, one.metric][:, :since, one.stratum] += np.array(
            [[1], [own_bad and not control_bad], [control_bad and not own_bad]]
        )


_Waiting = list[tuple[float, bool]]
"""(seconds after the repair, bad), by start."""


def _partner(
    waiting: _Waiting, start_s: float, apart_s: float, *, take: bool = True
) -> tuple[float, bool] | None:
    """Drop who waits too long already; take the first if it started close enough."""
    too_old = bisect.bisect_left(waiting, (start_s - apart_s, False))
    del waiting[:too_old]
    if take and waiting and waiting[0][0] <= start_s + apart_s:
        return waiting.pop(0)
    return None
