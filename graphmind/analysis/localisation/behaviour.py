"""The behaviour channel: who does something else than in the reference periods."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from graphmind.analysis.localisation.divergence import bernoulli
from graphmind.analysis.localisation.options import LocalisationOptions
from graphmind.analysis.localisation.transitions import (
    END,
    START,
    Event,
    Point,
    Transition,
    Transitions,
)

_Key = TypeVar("_Key")
FORWARDS = 0.9
"""Share of the traces in which a span that only forwards does so, at least. Chosen."""


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """A transition that is taken more often than in every reference period."""

    transition: Transition
    nats: float
    share: float
    """Of the traces that come by."""
    reference_share: float
    """Upper estimate from the reference periods."""
    traces: int
    """Traces of the window that come by."""


@dataclass(frozen=True, kw_only=True)
class BehaviourEvidence:
    """Why a service is thought to behave otherwise."""

    score: float
    """Nats."""
    part: str
    """self: after its own event; in: after a call of it; out: after its call of another."""
    strongest: Deviation
    operation: str
    """The operation of the service that is charged with most."""


@dataclass(frozen=True, kw_only=True)
class _Charge:
    """A deviation, and whom it is held against."""

    service: str
    operation: str
    part: str
    caller: str
    """Empty but for the part `in`."""
    weight: float
    deviation: Deviation

    @property
    def nats(self) -> float:
        return self.weight * self.deviation.nats

    @property
    def rank(self) -> tuple[float, Transition]:
        return self.nats, self.deviation.transition


def behaviour_channel(
    window: Transitions, references: Sequence[Transitions], options: LocalisationOptions
) -> dict[str, BehaviourEvidence]:
    """Score the services that deviate; the others are absent.

    What follows a remote call is charged to the callee, whose answer made the caller deviate, in
    full and summed over callers; the caller keeps a share, of its strongest only. A failure after
    a call that went well is the other way round. A span that only forwards and fails without
    calling did not reach the service it always calls.
    """
    forwards = _forwards(references)
    charges: dict[str, list[_Charge]] = {}
    for deviation in _deviations(window, references, options):
        for charge in _charges(deviation, forwards, options.caller_share):
            charges.setdefault(charge.service, []).append(charge)
    return {service: _evidence(found) for service, found in charges.items()}


def _charges(
    deviation: Deviation, forwards: Mapping[tuple[str, str], Event], lesser: float
) -> Iterator[_Charge]:
    """Charge the service itself, or the callee and the caller, one of them in part."""
    (service, operation, event), after = deviation.transition
    failed = after.kind == "end" and after.is_severe
    if event == START and failed:
        event = forwards.get((service, operation), event)
    # Before it was called, a callee cannot have answered well.
    by_itself = not event.callee or (failed and event == deviation.transition.point.event)
    yield _Charge(
        service=service,
        operation=operation,
        part="self" if by_itself else "out",
        caller="",
        weight=1.0 if by_itself else lesser,
        deviation=deviation,
    )
    if event.callee:
        yield _Charge(
            service=event.callee,
            operation=event.name,
            part="in",
            caller=service,
            weight=lesser if by_itself else 1.0,
            deviation=deviation,
        )


def _evidence(charges: list[_Charge]) -> BehaviourEvidence:
    """Add up the strongest own deviation, that of each caller, and that of the ways out."""
    strongest = max(charges, key=lambda charge: charge.rank)
    sources = _largest(charges, lambda charge: (charge.part, charge.caller))
    blamed: dict[str, float] = {}
    places = _largest(charges, lambda charge: (charge.operation, charge.deviation.transition.point))
    for (operation, _), charge in places.items():
        blamed[operation] = blamed.get(operation, 0.0) + charge.nats
    return BehaviourEvidence(
        score=sum(charge.nats for charge in sources.values()),
        part=strongest.part,
        strongest=strongest.deviation,
        operation=max(sorted(blamed), key=blamed.__getitem__),
    )


def _largest(charges: Iterable[_Charge], key: Callable[[_Charge], _Key]) -> dict[_Key, _Charge]:
    """Keep the strongest charge of each key."""
    found: dict[_Key, _Charge] = {}
    for charge in charges:
        at = key(charge)
        if at not in found or found[at].rank < charge.rank:
            found[at] = charge
    return found


def _forwards(references: Sequence[Transitions]) -> dict[tuple[str, str], Event]:
    """Find the operations that do nothing but call another service, and the call."""
    traces: dict[Point, int] = defaultdict(int)
    taken: dict[Transition, float] = defaultdict(float)
    for reference in references:
        for point, count in reference.traces.items():
            traces[point] += count
        for transition, count_taken in reference.taken.items():
            taken[transition] += count_taken
    found = {}
    for (point, after), count_taken in list(taken.items()):
        if point.event != START or not after.callee or count_taken < FORWARDS * traces[point]:
            continue
        answered = Point(point.service, point.operation, after)
        if taken[Transition(answered, END)] >= FORWARDS * traces[answered]:
            found[point.service, point.operation] = after
    return found


def _deviations(
    window: Transitions, references: Sequence[Transitions], options: LocalisationOptions
) -> list[Deviation]:
    severe_now = _severe([window])
    severe_before = _severe(references)
    found = []
    for transition, taken in window.taken.items():
        point, severe = transition.point, transition.after.is_severe
        traces = window.traces[point]
        reference = _reference_share(transition, references, options)
        if reference is None:
            continue
        if not severe:
            # Errors that stopped leave room to what follows when all is well: that is no fault.
            stopped = severe_before.get(point, 0.0) - severe_now.get(point, 0.0)
            reference = min(reference / (1 - max(0.0, min(stopped, 1 - reference))), 1.0)
        share = min(1.0, taken / traces)
        if share <= reference:
            continue
        # What the reference often does, too, is more likely a way back to normal than a fault: it
        # counts for the share of the reference that does otherwise.
        weight = (1 - reference) * (options.severe_factor if severe else 1.0)
        found.append(
            Deviation(
                transition=transition,
                nats=traces * bernoulli(share, reference) * weight,
                share=share,
                reference_share=reference,
                traces=traces,
            )
        )
    return found


def _severe(periods: Sequence[Transitions]) -> dict[Point, float]:
    """Share of the traces that come by a point and go on with an error, over all periods."""
    taken: dict[Point, float] = defaultdict(float)
    for period in periods:
        for transition, count in period.taken.items():
            if transition.after.is_severe:
                taken[transition.point] += count
    return {
        point: count / sum(period.traces.get(point, 0) for period in periods)
        for point, count in taken.items()
    }


def _reference_share(
    transition: Transition,
    references: Sequence[Transitions],
    options: LocalisationOptions,
) -> float | None:
    """Estimate a share over all reference periods together; None: unknown.

    Half a trace is added, so that what was never seen is not impossible. That periods differ is
    the wobble's business: a bound by each alone lets one faulty period acquit everybody.
    """
    traces = sum(reference.traces.get(transition.point, 0) for reference in references)
    if traces < options.reference_calls_min:
        return None
    taken = sum(reference.taken.get(transition, 0.0) for reference in references)
    return (taken + 0.5) / (traces + 1)
