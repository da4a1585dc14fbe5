"""A verification as it goes on: fed with requests, asked every second, resumed after a restart.

The state is one JSON document, since a replay of the archive could not say what was known when: a
request that was told of late would count otherwise than it did.
"""

from collections.abc import Mapping
from typing import Any, Final, Self

from graphmind.verification.bounds import Bounds, bounds_of
from graphmind.verification.counting import Ripening, Tally
from graphmind.verification.history import History, Traffic
from graphmind.verification.options import Options
from graphmind.verification.reading import Reading, eta_s, numbers_of, reasons_of, remedy_of
from graphmind.verification.request import RootRequest
from graphmind.verification.rule import Signals, decide, read
from graphmind.verification.watch import Watch
from graphmind.verification.words import EXPOSED, Unverifiable, Verdict

VERSION: Final = 1
"""Of the document of a verification."""
CALLED: Final = frozenset(
    {Verdict.EFFECTIVE, Verdict.NONE, Verdict.PARTIAL, Verdict.INCONCLUSIVE, Verdict.CONFIRMED}
)
"""Verdicts that harm still overrides."""


class Verifier:
    """The verification of one repair.

    ``executed_ms`` is when the last step was acknowledged. ``tick`` is to be told the time up to
    which telemetry has come in, rather than the clock's: a request whose end is still on its way
    would count as unfinished.
    """

    def __init__(self, bounds: Bounds, *, executed_ms: int) -> None:
        strata, options = len(bounds.history.mix), bounds.options
        self._bounds = bounds
        self._executed_ms = executed_ms
        self._ripening = Ripening(executed_ms=executed_ms, options=options)
        self._tally = Tally(strata=strata, options=options)
        self._watch = Watch(bounds)
        self._verdict = Verdict.OPEN
        self._since_ms = executed_ms
        self._recovering = False

    @property
    def verdict(self) -> Verdict:
        """The verdict at the last tick."""
        return self._verdict

    @property
    def over(self) -> bool:
        """Whether no later request can change the verdict."""
        return self._verdict in {Verdict.HARMFUL, Verdict.RELAPSED}

    def feed(self, request: RootRequest) -> bool:
        """Take a root request, or what is newly known of one, in any order before its tick.

        Returns whether it counts or will. Raises Unverifiable for a stratum that is unknown.
        """
        strata = len(self._bounds.history.mix)
        if not 0 <= request.stratum < strata:
            raise Unverifiable(
                f"Request {request.request_id}: expected a stratum of 0 to {strata - 1}, came "
                f"{request.stratum}; use the strata that the history was measured by"
            )
        return self._ripening.feed(request)

    def tick(self, now_ms: int) -> Reading:
        """Count what has matured by now, and judge."""
        watching = self._verdict is Verdict.EFFECTIVE
        for one in self._ripening.due(now_ms):
            self._tally.add(one)
            if watching and one.group == EXPOSED and one.metric == self._bounds.primary:
                self._watch.count(one.stratum, bad=one.bad)
        signals = read(self._tally, self._bounds)
        elapsed_s = (now_ms - self._executed_ms) / 1000
        verdict = self._judged(signals, now_ms, elapsed_s)
        if verdict is not self._verdict:
            self._verdict, self._since_ms = verdict, now_ms
        self._recovering |= bool(signals.recovering >= 0)
        return self._reading(signals, now_ms, elapsed_s)

    def _judged(self, signals: Signals, now_ms: int, elapsed_s: float) -> Verdict:
        if self._verdict is Verdict.OPEN:
            found: Verdict = decide(signals, elapsed_s, self._bounds).item()
            return found
        if self._verdict in CALLED and signals.harmful >= 0:
            return Verdict.HARMFUL
        if self._verdict is Verdict.EFFECTIVE:
            self._watch.step(elapsed_s)
            if self._watch.evidence >= 0:
                return Verdict.RELAPSED
            if now_ms - self._since_ms > self._bounds.options.watch_s * 1000:
                return Verdict.CONFIRMED
        return self._verdict

    def _reading(self, signals: Signals, now_ms: int, elapsed_s: float) -> Reading:
        verdict, bounds = self._verdict, self._bounds
        numbers = numbers_of(signals, self._tally, bounds)
        if verdict is Verdict.EFFECTIVE:
            numbers["evidence_relapse"] = max(self._watch.evidence, -1e6)
        return Reading(
            verdict=verdict,
            recovering=self._recovering and not self.over,
            remedy=remedy_of(verdict, bounds),
            since_ms=self._since_ms,
            at_ms=now_ms,
            eta_s=eta_s(self._tally, bounds, elapsed_s) if verdict is Verdict.OPEN else None,
            reasons=(
                *reasons_of(verdict, signals, self._tally, bounds),
                *bounds.history.doubts(),
            ),
            numbers=numbers,
        )

    def document(self) -> dict[str, Any]:
        """Return the whole state as JSON-ready names and values."""
        traffic = self._bounds.traffic
        return {
            "version": VERSION,
            "executed_ms": self._executed_ms,
            "options": self._bounds.options.document(),
            "history": self._bounds.history.document(),
            "traffic": [traffic.exposed, traffic.recipient, traffic.bystander],
            "ripening": self._ripening.document(),
            "tally": self._tally.document(),
            "watch": self._watch.document(),
            "verdict": str(self._verdict),
            "since_ms": self._since_ms,
            "recovering": self._recovering,
        }

    @classmethod
    def resumed(cls, document: Mapping[str, Any]) -> Self:
        """Go on from what ``document`` returned. Raises Unverifiable for another version's."""
        if document.get("version") != VERSION:
            raise Unverifiable(
                f"Expected a verification of version {VERSION}, came {document.get('version')!r}: "
                "begin it anew"
            )
        exposed, recipient, bystander = document["traffic"]
        bounds = bounds_of(
            History.of(document["history"]),
            Traffic(exposed=exposed, recipient=recipient, bystander=bystander),
            Options.of(document["options"]),
        )
        resumed = cls(bounds, executed_ms=document["executed_ms"])
        resumed._ripening.restore(document["ripening"])
        resumed._tally.restore(document["tally"])
        resumed._watch.restore(document["watch"])
        resumed._verdict = Verdict(document["verdict"])
        resumed._since_ms = document["since_ms"]
        resumed._recovering = document["recovering"]
        return resumed
