"""The whole localisation: a window and reference periods in, services by suspicion out."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from graphmind.analysis.localisation.behaviour import BehaviourEvidence, behaviour_channel
from graphmind.analysis.localisation.options import LocalisationOptions
from graphmind.analysis.localisation.period import Period, halves, without_statements
from graphmind.analysis.localisation.time_channel import TimeEvidence, time_channel
from graphmind.analysis.localisation.transitions import Transitions, transitions
from graphmind.analysis.localisation.units import UnitCosts, unit_costs

CLEAN_MIN = 2
"""Fewer periods cannot say which of them is unlike the others."""


@dataclass(frozen=True, kw_only=True)
class ServiceSuspect:
    """A service, and how far it is from normal."""

    service: str
    score: float
    """The larger of the two channels."""
    time: float
    """Score of the time channel, in multiples of the wobble between fault-free periods."""
    behaviour: float
    """The same of the behaviour channel."""
    operation: str
    """The operation of the service that the evidence of the larger channel points at; empty where
    there is none. Where the ways to others are slow, the one most called through."""
    time_evidence: TimeEvidence | None
    behaviour_evidence: BehaviourEvidence | None


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Services, most suspect first; equal scores by name."""

    suspects: tuple[ServiceSuspect, ...]
    weak: bool
    """Weak evidence: show the first three, not one."""
    left_out: tuple[int, ...] = ()
    """Positions of the reference periods that are unlike the others: not fault-free, it seems."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What is compared of a period."""

    costs: UnitCosts
    transitions: Transitions
    services: frozenset[str]
    has_statements: bool


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Fault-free periods, kept apart, and how far each of them is from the others."""

    profiles: tuple[Profile, ...]
    time_wobble: float
    """Largest score any service gets, as the mean over the periods."""
    behaviour_wobble: float
    """The same, in nats per trace of the period."""
    left_out: tuple[int, ...] = ()
    """Positions of the periods left out, as they were given."""


def localise(
    window: Period, references: Sequence[Period], options: LocalisationOptions | None = None
) -> Ranking:
    """Rank the services of a window by how far they are from at least one fault-free period.

    Log statements count only if the window and all reference periods have them. Several periods,
    some of other days, tell far more than one; they must not contain the fault.
    """
    options = options or LocalisationOptions()
    if any(period.statements is None for period in (window, *references)):
        window = without_statements(window)
        references = [without_statements(period) for period in references]
    return rank_services(profile_of(window), reference_of(references, options), options)


def profile_of(period: Period) -> Profile:
    """Measure a period."""
    return Profile(
        costs=unit_costs(period),
        transitions=transitions(period),
        services=frozenset(period.services),
        has_statements=period.statements is not None,
    )


def reference_of(periods: Sequence[Period], options: LocalisationOptions) -> Reference:
    """Measure fault-free periods and their wobble; of a lone period, that of its halves.

    A period unlike all others is left out: it holds a fault, or a mode that needs a second period.
    """
    assert periods, "a localisation needs at least one fault-free period"
    profiles = [profile_of(period) for period in periods]
    apart = profiles if len(profiles) > 1 else [profile_of(half) for half in halves(periods[0])]
    distances = _distances(apart, options)
    dirty = [n for n in range(len(apart)) if _is_dirty(n, apart, distances, options)]
    if dirty and len(apart) - len(dirty) >= CLEAN_MIN:
        apart = profiles = [profile for n, profile in enumerate(profiles) if n not in dirty]
        distances = _distances(apart, options)
    else:
        dirty = []
    return Reference(
        profiles=tuple(profiles),
        time_wobble=sum(distance.time for distance in distances) / len(apart),
        behaviour_wobble=sum(distance.behaviour for distance in distances) / len(apart),
        left_out=tuple(dirty),
    )


class _Distance(NamedTuple):
    """Largest score any service of a period gets against the other periods."""

    time: float
    behaviour: float
    """Nats per trace of the period."""


def _distances(profiles: Sequence[Profile], options: LocalisationOptions) -> list[_Distance]:
    found = []
    for one in profiles:
        time, behaviour = _channels(one, [other for other in profiles if other is not one], options)
        nats = max((evidence.score for evidence in behaviour.values()), default=0.0)
        found.append(
            _Distance(
                time=max((evidence.score for evidence in time.values()), default=0.0),
                behaviour=nats / max(one.costs.traces, 1),
            )
        )
    return found


def _is_dirty(
    place: int,
    profiles: Sequence[Profile],
    distances: Sequence[_Distance],
    options: LocalisationOptions,
) -> bool:
    """Whether a period is further from the others than they usually are."""
    others = [distance for n, distance in enumerate(distances) if n != place]
    usual_time = max(median(other.time for other in others), options.time_floor)
    traces = profiles[place].costs.traces
    usual_nats = max(median(other.behaviour for other in others) * traces, options.behaviour_floor)
    own = distances[place]
    return (
        own.time > options.dirty_factor * usual_time
        or own.behaviour * traces > options.dirty_factor * usual_nats
    )


def rank_services(window: Profile, reference: Reference, options: LocalisationOptions) -> Ranking:
    """Rank services by the larger of their channels, each in units of its wobble.

    All profiles have log statements, or none has.
    """
    assert len({profile.has_statements for profile in (window, *reference.profiles)}) == 1
    time, behaviour = _channels(window, reference.profiles, options)
    time_unit = max(reference.time_wobble, options.time_floor)
    # A difference in nats grows with the traces that show it.
    nats_unit = max(reference.behaviour_wobble * window.costs.traces, options.behaviour_floor)
    suspects = [
        _suspect(service, time.get(service), behaviour.get(service), time_unit, nats_unit)
        for service in window.services.union(*(profile.services for profile in reference.profiles))
    ]
    suspects.sort(key=lambda suspect: (-suspect.score, suspect.service))
    weak = not suspects or suspects[0].score < options.weak_below
    return Ranking(suspects=tuple(suspects), weak=weak, left_out=reference.left_out)


def _suspect(
    service: str,
    slow: TimeEvidence | None,
    odd: BehaviourEvidence | None,
    time_unit: float,
    nats_unit: float,
) -> ServiceSuspect:
    time = slow.score / time_unit if slow else 0.0
    behaviour = odd.score / nats_unit if odd else 0.0
    evidence = slow if slow and time >= behaviour else odd
    if isinstance(evidence, TimeEvidence):
        operation = evidence.unit.operation
    else:
        operation = evidence.operation if evidence else ""
    return ServiceSuspect(
        service=service,
        score=max(time, behaviour),
        time=time,
        behaviour=behaviour,
        operation=operation,
        time_evidence=slow,
        behaviour_evidence=odd,
    )


def _channels(
    window: Profile, references: Sequence[Profile], options: LocalisationOptions
) -> tuple[dict[str, TimeEvidence], dict[str, BehaviourEvidence]]:
    return (
        time_channel(window.costs, [profile.costs for profile in references], options),
        behaviour_channel(
            window.transitions, [profile.transitions for profile in references], options
        ),
    )
