"""The loops of repair: what is due is planned and run, what was run is verified."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

import pyarrow.compute as pc

from graphmind.jobs.repairs.desk import RepairDesk
from graphmind.jobs.repairs.proposing import Looked, repair_due
from graphmind.jobs.repairs.regions import look_at_regions
from graphmind.jobs.repairs.tally import RepairTally, tally_of
from graphmind.jobs.repairs.verifying import Verifications
from graphmind.repair.record import Repair
from graphmind.repair.states import State
from graphmind.serving.loops import Loop
from graphmind.telemetry.facts import Facts

REPAIR_EVERY_S: Final = 1.0
VERIFY_EVERY_S: Final = 1.0
RECOVER_EVERY_S: Final = 60.0
REGIONS_EVERY_S: Final = 15.0
"""Pauses of the loops (chosen); a repair whose runner is gone waits for its lease anyway."""
RESTS: Final = 2.0
"""Planning and judging take a third of a core at most (chosen)."""
REST_MAX_S: Final = 3.0
"""... but a run that carried out a repair took long because it waited for systems, and the next
incident waits for it (chosen)."""
LATE_S: Final = 4.0
"""Least time from a span's end until it is settled, besides the quiet that a trace is waited for:
senders batch, and a request that hangs is told of last (chosen)."""
LATEST_S: Final = 60.0
"""Later telemetry is not waited for (chosen)."""
LATE_SEEN_S: Final = 60.0
"""How late telemetry came is remembered so long (chosen): a burst of work passes."""
LATE_QUANTILE: Final = 0.05
"""One trace in twenty may have ended earlier than is waited for (chosen)."""
TRACES_MIN: Final = 5
"""Fewer traces at once say nothing of how late telemetry is (chosen)."""
MS_NS: Final = 1_000_000
TALLY_MAX: Final = 1_000
_log = logging.getLogger(__name__)


class Lateness:
    """How long after their end traces settled lately: where that takes longer, verdicts wait.

    A request is counted once, as it was known at its time. Telemetry that a busy machine tells of
    late would make requests that ended well count as hanging.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int]] = deque()

    @property
    def ms(self) -> int:
        """The latest of the last minute, of all but few traces; 0 where none is known."""
        return max((late for _, late in self._seen), default=0)

    def seen(self, facts: Facts, now_ms: int) -> None:
        """Take note of traces that ended and settled now."""
        while self._seen and now_ms - self._seen[0][0] > LATE_SEEN_S * 1000:
            self._seen.popleft()
        ended = facts.traces.filter(pc.field("complete"))
        if ended.num_rows >= TRACES_MIN:
            ends = pc.add(ended["start_ns"], ended["duration_ns"])
            # Of a run of traces the slowest few are those that came again, or whose sender died.
            usual_ns = pc.quantile(ends, q=LATE_QUANTILE)[0].as_py()
            late_ms = now_ms - round(usual_ns / MS_NS)
            self._seen.append((now_ms, min(max(late_ms, 0), round(LATEST_S * 1000))))


class Repairing:
    """Repairs of a running service. ``start``, then ``stop``."""

    def __init__(self, desk: RepairDesk, *, show: Callable[[Facts], None]) -> None:
        """``show`` is told of traces whose facts changed because they were healed."""
        self.desk = desk
        self._show = show
        self._verifications = Verifications(desk)
        self._looked = Looked()
        self._lock = threading.Lock()
        self._settled_ms = 0
        self._lateness = Lateness()
        self._tallied: tuple[int, RepairTally] | None = None
        """As of which audit entry repairs were last told in numbers, and the numbers."""
        self.loops = (
            Loop("repair", self._repair, every_s=REPAIR_EVERY_S, rest=RESTS, rest_max_s=REST_MAX_S),
            Loop("verify", self._verify, every_s=VERIFY_EVERY_S, rest=RESTS),
            Loop("recover", self._recover, every_s=RECOVER_EVERY_S),
            Loop("regions", self._regions, every_s=REGIONS_EVERY_S, rest=RESTS),
        )

    def start(self) -> None:
        """Settle what a runner that died left half done, then begin.

        The process that owns an embedded graph is the only one that runs repairs, so it waits for
        no lease; to be called before anybody else may ask for one.
        """
        alone = not self.desk.settings.neo4j_uri
        for repair in self._recovered(alone=alone):
            _log.warning(
                "repair_recovered repair=true repair_id=%s state=%s", repair.repair_id, repair.state
            )
        for loop in self.loops:
            loop.start()

    def stop(self) -> None:
        """End after the runs under way."""
        for loop in self.loops:
            loop.stop()

    def settled(self, facts: Facts, *, up_to_ms: int | None) -> None:
        """Take note of traces that settled; ``up_to_ms``: all that was due by then has."""
        self._verifications.settled(facts)
        with self._lock:
            self._lateness.seen(facts, self.desk.now_ms())
            if up_to_ms is not None:
                self._settled_ms = up_to_ms

    def tally(self) -> RepairTally:
        """Return the latest repairs in numbers: read anew where the journal changed since.

        No change that they tell of is kept without an audit entry.
        """
        seq, known = self.desk.journal.head().seq, self._tallied
        if known is None or known[0] != seq:
            known = self._tallied = (seq, tally_of(self.desk.repairs(limit=TALLY_MAX)))
        return known[1]

    def _repair(self) -> dict[str, int | float | str]:
        counts = repair_due(self.desk, self._looked).counts
        return {"repair": "true", **counts} if counts else {}

    def _verify(self) -> dict[str, int | float | str]:
        with self._lock:
            settled_ms, late_ms = self._settled_ms, self._lateness.ms
        if not settled_ms:
            return {}
        late_ms = max(late_ms, round((self.desk.settings.quiet_s + LATE_S) * 1000))
        counts = self._verifications.look(watermark_ms=settled_ms - late_ms)
        for facts in self._verifications.take_healed():
            self._show(facts)
        return {"repair": "true", **counts} if counts else {}

    def _recover(self) -> dict[str, int | float | str]:
        recovered = self._recovered(alone=False)
        return {"repair": "true", "recovered": len(recovered)} if recovered else {}

    def _regions(self) -> dict[str, int | float | str]:
        """Judge the regions that are routed to; propose what should be done about one."""
        found = look_at_regions(self.desk)
        if not found:
            return {}
        proposed = " ".join(f"{each['action']}:{each['region']}" for each in found["proposals"])
        return {"repair": "true", "regions": len(found["regions"]), "proposed": repr(proposed)}

    def _recovered(self, *, alone: bool) -> list[Repair]:
        """Recover what stands half done; harmful ones that are left to people stay so."""
        found = self.desk.recover(alone=alone)
        return [repair for repair in found if repair.state is not State.HARMFUL]
