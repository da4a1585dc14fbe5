"""The behaviour channel: who does something else than in the reference periods."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from graphmind.analysis.localisation.divergence import bernoulli
from graphmind.analysis.localisation.options import LocalisationOptions
from graphmind.analysis.localisation.transitions import Transition, Transitions

_Key = TypeVar("_Key")


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


def behaviour_channel(
    window: Transitions, references: Sequence[Transitions], options: LocalisationOptions
) -> dict[str, BehaviourEvidence]:
    """Score the services that deviate; the others are absent.

    What follows a remote call is charged to the callee, whose answer made the caller deviate, in
    full and summed over callers; the caller keeps a share, of its strongest only.
    """
    deviations = _deviations(window, references, options)
    own = _strongest((d for d in deviations if not _callee(d)), _service)
    out = _strongest((d for d in deviations if _callee(d)), _service)
    ways = _strongest((d for d in deviations if _callee(d)), lambda d: (_callee(d), _service(d)))
    charges = [(service, "self", deviation) for service, deviation in own.items()]
    charges += [(callee, "in", deviation) for (callee, _), deviation in ways.items()]
    charges += [(service, "out", deviation) for service, deviation in out.items()]
    charged: dict[str, list[tuple[str, Deviation]]] = {}
    for service, part, deviation in charges:
        charged.setdefault(service, []).append((part, deviation))
    return {service: _evidence(found, options) for service, found in charged.items()}


def _evidence(
    found: list[tuple[str, Deviation]], options: LocalisationOptions
) -> BehaviourEvidence:
    part, strongest = max(found, key=lambda pair: _rank(pair[1]))
    return BehaviourEvidence(
        score=sum(d.nats * (options.caller_share if part == "out" else 1) for part, d in found),
        part=part,
        strongest=strongest,
    )


def _service(deviation: Deviation) -> str:
    return deviation.transition.point.service


def _callee(deviation: Deviation) -> str:
    return deviation.transition.point.event.callee


def _rank(deviation: Deviation) -> tuple[float, Transition]:
    return deviation.nats, deviation.transition


def _strongest(
    deviations: Iterable[Deviation], key: Callable[[Deviation], _Key]
) -> dict[_Key, Deviation]:
    """Keep the strongest deviation of each key."""
    found: dict[_Key, Deviation] = {}
    for deviation in deviations:
        at = key(deviation)
        if at not in found or _rank(found[at]) < _rank(deviation):
            found[at] = deviation
    return found


def _deviations(
    window: Transitions, references: Sequence[Transitions], options: LocalisationOptions
) -> list[Deviation]:
    found = []
    for transition, taken in window.taken.items():
        traces = window.traces[transition.point]
        reference = _reference_share(transition, references, options)
        share = min(1.0, taken / traces)
        if reference is None or share <= reference:
            continue
        weight = options.severe_factor if transition.after.is_severe else 1.0
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


def _reference_share(
    transition: Transition,
    references: Sequence[Transitions],
    options: LocalisationOptions,
) -> float | None:
    """Estimate a share from above: pooled, and by each period with traces enough; None: unknown.

    Half a trace is added, so that what was never seen is not impossible.
    """
    seen = [
        (reference.traces[transition.point], reference.taken.get(transition, 0.0))
        for reference in references
        if transition.point in reference.traces
    ]
    pooled = sum(traces for traces, _ in seen)
    if pooled < options.reference_calls_min:
        return None
    alone = [pair for pair in seen if pair[0] >= options.period_traces_min]
    return max(
        (taken + 0.5) / (traces + 1)
        for traces, taken in [(pooled, sum(taken for _, taken in seen)), *alone]
    )
