"""The whole localisation: a window and reference periods in, services by suspicion out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphmind.analysis.localisation.behaviour import BehaviourEvidence, behaviour_channel
from graphmind.analysis.localisation.options import LocalisationOptions
from graphmind.analysis.localisation.period import Period, halves, without_statements
from graphmind.analysis.localisation.time_channel import TimeEvidence, time_channel
from graphmind.analysis.localisation.transitions import Transitions, transitions
from graphmind.analysis.localisation.units import UnitCosts, unit_costs


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
    time_evidence: TimeEvidence | None
    behaviour_evidence: BehaviourEvidence | None


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Services, most suspect first; equal scores by name."""

    suspects: tuple[ServiceSuspect, ...]
    weak: bool
    """Weak evidence: show the first three, not one."""


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
    """Measure fault-free periods and their wobble; of a lone period, that of its halves."""
    assert periods, "a localisation needs at least one fault-free period"
    profiles = tuple(profile_of(period) for period in periods)
    apart = profiles if len(profiles) > 1 else tuple(profile_of(h) for h in halves(periods[0]))
    channels = [
        _channels(one, [other for other in apart if other is not one], options) for one in apart
    ]
    return Reference(
        profiles=profiles,
        time_wobble=_mean_of_largest([time for time, _ in channels]),
        behaviour_wobble=_mean_of_largest([behaviour for _, behaviour in channels]),
    )


def rank_services(window: Profile, reference: Reference, options: LocalisationOptions) -> Ranking:
    """Rank services by the larger of their channels, each in units of its wobble.

    All profiles have log statements, or none has.
    """
    assert len({profile.has_statements for profile in (window, *reference.profiles)}) == 1
    time, behaviour = _channels(window, reference.profiles, options)
    time_unit = max(reference.time_wobble, options.time_floor)
    behaviour_unit = max(reference.behaviour_wobble, options.behaviour_floor)
    suspects = []
    for service in window.services.union(*(profile.services for profile in reference.profiles)):
        slow, odd = time.get(service), behaviour.get(service)
        times = (
            slow.score / time_unit if slow else 0.0,
            odd.score / behaviour_unit if odd else 0.0,
        )
        suspects.append(
            ServiceSuspect(
                service=service,
                score=max(times),
                time=times[0],
                behaviour=times[1],
                time_evidence=slow,
                behaviour_evidence=odd,
            )
        )
    suspects.sort(key=lambda suspect: (-suspect.score, suspect.service))
    weak = not suspects or suspects[0].score < options.weak_below
    return Ranking(suspects=tuple(suspects), weak=weak)


def _channels(
    window: Profile, references: Sequence[Profile], options: LocalisationOptions
) -> tuple[dict[str, TimeEvidence], dict[str, BehaviourEvidence]]:
    return (
        time_channel(window.costs, [profile.costs for profile in references], options),
        behaviour_channel(
            window.transitions, [profile.transitions for profile in references], options
        ),
    )


def _mean_of_largest(
    channels: Sequence[Mapping[str, TimeEvidence] | Mapping[str, BehaviourEvidence]],
) -> float:
    largest = [
        max((evidence.score for evidence in channel.values()), default=0.0) for channel in channels
    ]
    return sum(largest) / len(largest)
