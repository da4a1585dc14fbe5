"""What a play came to: which cause, which repair, how long, and figures before and after. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from graphmind.demo.watching import Json, Named, has_ended, was_run

FIGURES: Final = ("p95_s", "failure_rate", "callback_rate")
"""Of the tasks that customers sent: what they waited, what failed, what was called back."""
EFFECTIVE: Final = "effective"
NO_REPAIR: Final = "no automatic repair"


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What was really done to the platform."""

    causes: tuple[str, ...]
    """``kind:name``, items joined by `` + ``."""
    also: tuple[str, ...]
    """Names that blame the same thing; a kind alone stands for every name of it."""
    level: str
    """At which to repair; empty where nothing is to be repaired."""
    repairs: int
    """Causes that a repair heals."""
    harms: bool = False
    """What would heal it makes it worse: the repair is to be undone."""

    @classmethod
    def of(cls, document: Json) -> "Truth":
        """Read the truth as the platform states it."""
        causes = tuple(" + ".join(sorted(each)) for each in document["causes"])
        return cls(
            causes=causes,
            also=tuple(document["also"]),
            level=document["level"],
            repairs=len(causes) if document["actions"] else 0,
            harms=document["harms"],
        )

    def enough(self, repairs: Sequence[Json]) -> bool:
        """Whether as many repairs as there are causes came to what they should."""
        due = is_undone if self.harms else is_effective
        return sum(map(due, repairs)) >= self.repairs

    def is_right(self, cause: str) -> bool:
        """Whether a cause that was named is one of them."""
        named = " + ".join(sorted(cause.split(" + ")))
        return named in self.causes or named in self.also or named.split(":")[0] in self.also


@dataclass(frozen=True, kw_only=True)
class Moments:
    """When what happened, epoch ms; None: it did not."""

    injected: int
    first_failing: int | None = None
    """When the incident began, as the platform's traces show."""
    opened: int | None = None
    """When the API listed the incident; looked at twice a second."""
    executed: int | None = None
    recovering: int | None = None
    verdict: int | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one fault."""

    fault: str
    seed: int
    truth: Truth
    repairs: Sequence[Json]
    """Those that were begun, in order."""
    named: Sequence[Named]
    moments: Moments
    healthy: Json
    before: Json
    after: Json
    refusals: Sequence[str] = ()
    """Why incidents had no automatic repair."""
    traces_when_named: int | None = None

    @property
    def causes(self) -> list[str]:
        """What incidents named first: when they were repaired, else at last."""
        repaired = list(dict.fromkeys(each["root_cause"] for each in self.repairs))
        if repaired:
            return repaired
        latest = {each.incident_id: each.cause for each in self.named}
        return list(dict.fromkeys(latest.values()))

    @property
    def confidence(self) -> float | None:
        """The lowest with which these causes were named when they were."""
        found = {each.cause: each.confidence for each in self.named if each.cause in self.causes}
        return min(found.values(), default=None)

    @property
    def level(self) -> str | None:
        """The level of the repairs, joined where they differ; None without one."""
        return _words(each["level"] for each in self.repairs) or None

    @property
    def verdict(self) -> str:
        """Of the repairs; else that there was none, and whether one was called for."""
        if self.repairs:
            return _words(each["verdict"] or each["state"] for each in self.repairs)
        if self.refusals:
            return NO_REPAIR
        return "not repaired" if self.truth.repairs else "nothing to repair"

    @property
    def wrong(self) -> list[str]:
        """Causes that were repaired and are not to blame."""
        return [each for each in self.causes if self.repairs and not self.truth.is_right(each)]

    @property
    def seconds(self) -> dict[str, float | None]:
        """How long each part took."""
        when = self.moments
        return {
            "first_failing_to_incident": _between(when.first_failing, when.opened),
            "incident_to_executed": _between(when.opened, when.executed),
            "executed_to_verdict": _between(when.executed, when.verdict),
            "total": _between(when.first_failing, when.verdict),
        }

    @property
    def is_good(self) -> bool:
        """Whether all that was to be repaired is, by the right cause, and nothing else was."""
        if self.wrong:
            return False
        return self.truth.enough(self.repairs) if self.truth.repairs else not self.repairs

    def document(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return {
            "fault": self.fault,
            "seed": self.seed,
            "cause_named_first": _words(self.causes) or None,
            "confidence": self.confidence,
            "level": self.level,
            "seconds": self.seconds,
            "before": {**figures_in(self.before), "healthy": figures_in(self.healthy)},
            "after": {**figures_in(self.after), "healthy": figures_in(self.healthy)},
            "verdict": self.verdict,
        }


@dataclass(kw_only=True)
class Progress:
    """How far the repairs of a fault got; ``known`` are those of an earlier one."""

    truth: Truth
    known: frozenset[str] = frozenset()
    begun: list[Json] = field(default_factory=list)

    def look(self, repairs: Iterable[Json]) -> None:
        """Take note of the repairs that were begun."""
        self.begun = [
            each for each in repairs if was_run(each) and each["repair_id"] not in self.known
        ]

    @property
    def is_done(self) -> bool:
        """Whether as many repairs came to what they should as there were causes, none under way."""
        due = self.truth.repairs > 0 and self.truth.enough(self.begun)
        return due and all(map(has_ended, self.begun))


def is_effective(repair: Json) -> bool:
    """Whether a repair is proven to have worked."""
    return str(repair["verdict"]).split("/")[0] == EFFECTIVE


def is_undone(repair: Json) -> bool:
    """Whether a repair is proven to have harmed, and was rolled back."""
    return bool(repair["verdict"] == "harmful" and repair["state"] == "rolled_back")


def figures_in(found: Json) -> dict[str, float | None]:
    """Return the three figures of some tasks; None where there were none."""
    return {name: found.get(name) for name in FIGURES}


def is_back(outcome: Outcome) -> Mapping[str, bool | None]:
    """Whether each figure is within 10 % of the healthy one, rates within a point, or better."""
    healthy, after = figures_in(outcome.healthy), figures_in(outcome.after)
    return {name: _near(name, healthy[name], after[name]) for name in FIGURES}


def _near(name: str, healthy: float | None, after: float | None) -> bool | None:
    if healthy is None or after is None:
        return None
    if name == "p95_s":
        return after <= 1.1 * healthy
    if name == "failure_rate":
        return after <= max(1.1 * healthy, healthy + 0.01)
    return after >= 0.9 * healthy


def _between(first: int | None, second: int | None) -> float | None:
    if first is None or second is None:
        return None
    return round((second - first) / 1000, 1)


def _words(found: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(found))
