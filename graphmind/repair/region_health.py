"""How each region fares: its traffic against the healthiest other one, and what incidents name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.analysis.evidence import kl_gain, wilson_low
from graphmind.telemetry.facts import Facts

MS_NS: Final = 1_000_000
_Z: Final = 2.576
"""Bounds of shares at 99 %."""


class Health(IntEnum):
    """How a region fares, best first."""

    HEALTHY = 0
    """At most a little more may fail of it than may of the healthiest other region."""
    UNCLEAR = 1
    """Neither shown healthy nor sick: too few traces, or between the bounds."""
    DEGRADED = 2
    SICK = 3


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """When a region counts as what; shares of its traces that fail beyond the reference."""

    traces_min: float = 50.0
    """A region with fewer is not judged by them, and no reference (chosen)."""
    gain_min: float = 14.0
    """Evidence that a region fails more often than its reference, in nats (chi-square of 28 with
    one degree). Measured: 1 of 4,000,000 looks at two regions of equal rate has so much."""
    degraded_excess: float = 0.03
    sick_excess: float = 0.10
    """At least this, by the lower bound of its share (chosen)."""
    healthy_excess: float = 0.02
    """At most this, of both the upper bounds; below ``degraded_excess``, so that nothing flaps."""
    confidence_min: float = 0.8
    """An incident less sure of its cause does not count (chosen)."""


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Traces of a window that touched a region, weighted where sampled."""

    region: str
    traces: float
    failing: float

    @property
    def share(self) -> float:
        """Share that fails, 0..1."""
        return self.failing / self.traces if self.traces else 0.0


@dataclass(frozen=True, kw_only=True)
class Naming:
    """An open incident whose first cause names a region."""

    region: str
    incident_id: str
    label: str
    confidence: float
    alone: bool
    """The region is the whole cause; else one part of a conjunction, which other repairs fit."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The health of a region with its reasons in words."""

    region: str
    health: Health
    excess: float
    """Share that fails beyond the reference; 0 where it is not judged by its traffic."""
    named: bool
    """An open incident names it, as a whole cause or as a part."""
    reasons: tuple[str, ...]


def traffic_of(facts: Facts, since_ms: Mapping[str, int] | None = None) -> list[Traffic]:
    """Count traces by region; those that started before ``since_ms`` of the region do not count.

    A change of a region's weight makes what came before it worthless. Incomplete traces are left
    out: nobody knows how they ended.
    """
    items = facts.items.filter(pc.equal(facts.items["kind"], "region"))
    traces = facts.traces.filter(
        pc.fill_null(pc.not_equal(facts.traces["outcome"], "incomplete"), True)
    )
    place = pc.index_in(items["trace_id"], value_set=traces["trace_id"].combine_chunks())
    items = items.append_column("place", place).filter(pc.is_valid(place))
    own = traces.take(items["place"].combine_chunks())
    sick = pc.unique(facts.symptoms.filter(pc.is_valid(facts.symptoms["channel"]))["trace_id"])
    table = pa.table(
        {
            "region": items["name"],
            "trace_id": items["trace_id"],
            "start_ns": own["start_ns"],
            "weight": pc.fill_null(own["weight"], 1.0),
            "failing": pc.is_in(items["trace_id"], value_set=sick),
        }
    )
    found: dict[str, dict[str, tuple[float, bool]]] = {}
    for row in table.to_pylist():
        after = (since_ms or {}).get(row["region"], 0) * MS_NS
        if row["start_ns"] is not None and row["start_ns"] >= after:
            found.setdefault(row["region"], {})[row["trace_id"]] = (row["weight"], row["failing"])
    return [
        Traffic(
            region=region,
            traces=sum(weight for weight, _ in ones.values()),
            failing=sum(weight for weight, failing in ones.values() if failing),
        )
        for region, ones in sorted(found.items())
    ]


def namings_of(incidents: Iterable[Mapping[str, Any]]) -> list[Naming]:
    """Return the regions that the first causes of open incidents name; documents of incidents."""
    found = []
    for incident in incidents:
        if incident["state"] != "open" or not incident["causes"]:
            continue
        cause = incident["causes"][0]
        found += [
            Naming(
                region=item["name"],
                incident_id=incident["incident_id"],
                label=cause["label"],
                confidence=cause["confidence"],
                alone=len(cause["all_of"]) == 1,
            )
            for item in cause["all_of"]
            if item["kind"] == "region"
        ]
    return sorted(found, key=lambda each: (each.region, each.incident_id))


def judge(
    regions: Sequence[str], traffic: Sequence[Traffic], namings: Sequence[Naming], bounds: Bounds
) -> dict[str, Judged]:
    """Judge each region, by its traffic and by open incidents; the worse of the two counts.

    What traffic shows to be healthy is not worsened by an incident: that lags behind.
    """
    by_region = {each.region: each for each in traffic}
    return {
        region: _judged(
            region,
            by_region.get(region, Traffic(region=region, traces=0.0, failing=0.0)),
            _reference(region, traffic, bounds),
            [each for each in namings if each.region == region],
            bounds,
        )
        for region in sorted(regions)
    }


def _judged(
    region: str,
    own: Traffic,
    reference: Traffic | None,
    namings: Sequence[Naming],
    bounds: Bounds,
) -> Judged:
    health, excess, reasons = _by_traffic(own, reference, bounds)
    sure = [each for each in namings if each.confidence >= bounds.confidence_min]
    if health is not Health.HEALTHY:
        for each in sure:
            health = max(health, Health.SICK if each.alone else Health.DEGRADED)
    words = [
        f"incident {each.incident_id} names {each.label} with confidence {each.confidence:.2f}"
        for each in sure
    ]
    return Judged(
        region=region,
        health=health,
        excess=excess,
        named=bool(sure),
        reasons=(reasons, *words),
    )


def _by_traffic(
    own: Traffic, reference: Traffic | None, bounds: Bounds
) -> tuple[Health, float, str]:
    if own.traces < bounds.traces_min:
        return Health.UNCLEAR, 0.0, f"only {own.traces:g} traces of {own.region} are seen"
    if reference is None:
        return Health.UNCLEAR, 0.0, "no other region has traffic to compare with"
    excess = own.share - reference.share
    words = (
        f"{own.failing:g} of {own.traces:g} traces of {own.region} fail ({own.share:.1%}), in "
        f"{reference.region} {reference.failing:g} of {reference.traces:g} ({reference.share:.1%})"
    )
    surely = excess > 0 and _gain(own, reference) >= bounds.gain_min
    if surely and _low(own) - _high(reference) >= bounds.sick_excess:
        return Health.SICK, excess, words
    if surely and excess >= bounds.degraded_excess:
        return Health.DEGRADED, excess, words
    # Of both the upper bound: a region with few traces may show that it is well itself, but not
    # that one known for long is not, and a third one must not count as ill because a worse one
    # is no longer the healthiest to compare it with.
    if _high(own) - _high(reference) <= bounds.healthy_excess:
        return Health.HEALTHY, excess, words
    return Health.UNCLEAR, excess, f"{words}: neither healthy nor sick for sure"


def _gain(own: Traffic, reference: Traffic) -> float:
    """Return the evidence that two shares differ: the likelihood ratio against one for both."""
    both = (own.failing + reference.failing) / (own.traces + reference.traces)
    exposed = np.array([own.traces, reference.traces])
    # Of the region too many fail, of the reference too many pass.
    counted = np.array([own.failing, reference.traces - reference.failing])
    return float(kl_gain(exposed, counted, exposed * np.array([both, 1 - both])).sum())


def _reference(region: str, traffic: Sequence[Traffic], bounds: Bounds) -> Traffic | None:
    """Return the healthiest other region by its upper bound: of two sick ones both are found."""
    others = [
        each for each in traffic if each.region != region and each.traces >= bounds.traces_min
    ]
    return min(others, key=lambda each: (_high(each), each.region), default=None)


def _low(traffic: Traffic) -> float:
    return wilson_low(traffic.failing, traffic.traces, _Z)


def _high(traffic: Traffic) -> float:
    return 1 - wilson_low(traffic.traces - traffic.failing, traffic.traces, _Z)
