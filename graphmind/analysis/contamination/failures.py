"""Which traces of a history failed, and when: what they read later did them no harm."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.analysis.window import NEVER
from graphmind.telemetry.lineage import History
from graphmind.telemetry.tree import Bools, Ints


@dataclass(frozen=True, kw_only=True)
class Failures:
    """By the trace numbers of a history."""

    began_ns: Ints
    """(traces,), when the trace began to fail, NEVER where it did not."""
    own: Bools
    """(traces,), whether it failed in the incident that is looked at."""

    def harmed(self, trace: Ints, at_ns: Ints) -> Bools:
        """Whether each trace failed, no earlier than it read something at that time."""
        began = self.began_ns[trace]
        return np.asarray((began != NEVER) & (at_ns <= began), bool)


def failures_of(history: History, symptoms: pa.Table, own: pa.Array) -> Failures:
    """Arrange symptoms (columns trace_id and began_ns) and the ids of an incident's traces.

    A symptom without a time began after everything the trace read.
    """
    began = np.full(len(history.trace_ids), NEVER)
    number = history.numbers_of(symptoms["trace_id"])
    times = pc.fill_null(symptoms["began_ns"], NEVER - 1).to_numpy()
    np.minimum.at(began, number[number >= 0], times[number >= 0])
    of_incident = pc.is_in(history.trace_ids, value_set=own).to_numpy(zero_copy_only=False)
    return Failures(began_ns=began, own=of_incident & (began != NEVER))
