"""Every threshold of the localisation, with the source of its default."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LocalisationOptions:
    """Thresholds of the localisation.

    "Measured" means: on real systems with injected faults, see the design's localisation.md.
    """

    standard_errors: float = 1.0
    """The excess is taken this many standard errors below its mean, so that a few slow traces are
    no fault. Measured: 0 suits one system, 1.645 the other."""
    reference_calls_min: int = 3
    """Calls or traces of a reference period that make a rate. Chosen."""
    severe_factor: float = 2.0
    """Weight of a step to an ERROR or FATAL statement. Measured: 1 costs .04 of Acc@1."""
    caller_share: float = 0.5
    """What a caller keeps of a deviation after its remote call. Measured: 0 is as good, 1 worse."""
    dirty_factor: float = 5.0
    """A reference period is left out, if two remain, that differs from the others by so many times
    what they do. Measured: with a faulty third period 5 is better than 3, .83 of .78 right."""
    time_floor: float = 0.01
    """Least wobble of the time channel: 1 % of the traces' time. Chosen."""
    behaviour_floor: float = 3.0
    """Least wobble of the behaviour channel in nats, about p = .05. Chosen."""
    weak_below: float = 3.0
    """A score below it is weak evidence. Measured: above 39 of 39 right, below 5 of 9."""
