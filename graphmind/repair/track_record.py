"""The case library's memory of repairs: fingerprint x strategy x verdict, with times (S10)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from graphmind.analysis.evidence import wilson_low
from graphmind.repair.record import Repair
from graphmind.repair.states import State

WORKS_MIN: Final = 0.5
"""A strategy that works less often than this has no automatic right (chosen: worse than even)."""
GOOD_AFTER_HARM: Final = 2
"""Effective repairs in a row that make up for a harmful one (chosen)."""
TELLING: Final = {
    State.SUCCEEDED: "effective",
    State.INEFFECTIVE: "ineffective",
    State.HARMFUL: "harmful",
    State.INCONCLUSIVE: "inconclusive",
}
"""States that are themselves the verdict; a relapse turns one into another, so they go first."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """How a strategy did."""

    verdicts: tuple[str, ...] = ()
    """effective, ineffective, harmful or inconclusive; oldest first."""
    seconds: tuple[float, ...] = ()
    """From request to verdict of those that were effective; oldest first."""

    @property
    def tried(self) -> int:
        """Repairs whose effect is known."""
        return sum(verdict != "inconclusive" for verdict in self.verdicts)

    @property
    def worked(self) -> int:
        """Those that were effective."""
        return self.verdicts.count("effective")

    @property
    def score(self) -> float:
        """Expected share that works: one half where nothing is known (Laplace's rule)."""
        return (self.worked + 1) / (self.tried + 2)

    @property
    def words(self) -> str:
        """The record for people: ``worked 4 of 5 times, median 21 s``."""
        if not self.verdicts:
            return "not tried before"
        if not self.tried:
            return f"tried {len(self.verdicts)} times, never with a clear effect"
        parts = [f"worked {self.worked} of {self.tried} times"]
        if self.seconds:
            parts.append(f"median {median(self.seconds):.0f} s")
        if harmful := self.verdicts.count("harmful"):
            parts.append(f"{harmful} times harmful")
        return ", ".join(parts)

    def barred(self) -> str:
        """Return why it may no longer run by itself; empty where it may.

        It may not while the share that works is, at 95 %, below WORKS_MIN: four failures of four,
        or seven of eight, are enough. Nor after harm, until GOOD_AFTER_HARM repairs did good.
        """
        failed = self.tried - self.worked
        if failed and wilson_low(failed, self.tried) > 1 - WORKS_MIN:
            return f"it worked only {self.worked} of {self.tried} times"
        telling = [verdict for verdict in self.verdicts if verdict != "inconclusive"]
        if "harmful" in telling:
            good = telling[::-1].index("harmful")
            since = telling[len(telling) - good :]
            if since.count("effective") < GOOD_AFTER_HARM:
                return f"it did harm, and good only {since.count('effective')} times since"
        return ""


NO_RECORD: Final = Record()


@dataclass(frozen=True, kw_only=True)
class Records:
    """Records by strategy, for one fingerprint and over all."""

    seen: Mapping[tuple[str, str], Record] = field(default_factory=dict)
    """By fingerprint and ``strategyId@revision``."""
    overall: Mapping[str, Record] = field(default_factory=dict)

    def of(self, fingerprint: str, strategy: str) -> Record:
        """Return how a strategy did against what looks the same."""
        return self.seen.get((fingerprint, strategy), NO_RECORD) if fingerprint else NO_RECORD

    def anywhere(self, strategy: str) -> Record:
        """Return how a strategy did against anything."""
        return self.overall.get(strategy, NO_RECORD)

    def barred(self, fingerprint: str, strategy: str) -> str:
        """Return why a strategy may not run by itself here; empty where it may."""
        own = self.of(fingerprint, strategy).barred()
        return f"{own} against this fingerprint" if own else self.anywhere(strategy).barred()

    def best(self, fingerprint: str) -> tuple[str, Record] | None:
        """Return the strategy that did best against a fingerprint; None where none worked."""
        own = {
            strategy: record
            for (seen, strategy), record in self.seen.items()
            if seen == fingerprint and record.worked
        }
        if not own or not fingerprint:
            return None
        return max(sorted(own.items()), key=lambda each: (each[1].score, each[1].worked))


def records_of(repairs: Iterable[Repair]) -> Records:
    """Sum up past repairs, given in any order; those without a verdict tell nothing.

    Dry runs are left out. A revision of a strategy has a record of its own.
    """
    seen: dict[tuple[str, str], list[Repair]] = defaultdict(list)
    overall: dict[str, list[Repair]] = defaultdict(list)
    for repair in sorted(repairs, key=lambda each: (each.requested_ms, each.repair_id)):
        if repair.mode == "live" and verdict_of(repair):
            overall[repair.strategy].append(repair)
            if repair.fingerprint:
                seen[repair.fingerprint, repair.strategy].append(repair)
    return Records(
        seen={key: _record(found) for key, found in seen.items()},
        overall={key: _record(found) for key, found in overall.items()},
    )


def verdict_of(repair: Repair) -> str:
    """Return effective, ineffective, harmful or inconclusive; empty where none was reached.

    A partial effect counts as ineffective: it does not end the incident.
    """
    if repair.state in TELLING:
        return TELLING[repair.state]
    word = repair.verdict.replace("/", " ").partition(" ")[0]
    if word == "partial":
        return "ineffective"
    return word if word in TELLING.values() else ""


def _record(repairs: Iterable[Repair]) -> Record:
    found = list(repairs)
    return Record(
        verdicts=tuple(map(verdict_of, found)),
        seconds=tuple(
            (each.ended_ms - each.requested_ms) / 1000
            for each in found
            if verdict_of(each) == "effective" and each.ended_ms is not None
        ),
    )
