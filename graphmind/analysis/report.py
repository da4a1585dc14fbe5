"""The evidence for one cause, as it is handed on."""

import numpy as np

from graphmind.analysis.confidence import confidence
from graphmind.analysis.contingency import Contingency
from graphmind.analysis.explanation import Explanation, Judged, tally_without
from graphmind.analysis.findings import Cause
from graphmind.analysis.incidence import Floats, Integers
from graphmind.analysis.ties import name_cause
from graphmind.analysis.window import Window

RIVALS_MAX = 5


def report_cause(window: Window, channel: str, explanation: Explanation, judged: Judged) -> Cause:
    """Report a cause under its best name, with the counts of the traces of that name."""
    model, cause = explanation.model, judged.cause
    name = name_cause(model, cause, window.item_kinds)
    outcome = tally_without(model, cause, name.rows)
    gain = outcome.gain - cause.choices_nats
    counts = _counts(window, channel, name.rows, window.weight)
    seen = _counts(window, channel, name.rows, np.ones(window.n))
    failing = name.rows[window.failing[channel][name.rows]]
    return Cause(
        items=name.items,
        tied=name.tied,
        channel=channel,
        confidence=confidence(cause.posterior, items=len(cause.key)),
        posterior=cause.posterior,
        gain_nats=gain,
        risk_ratio=counts.risk_ratio,
        risk_ratio_low=seen.ratio_interval(counts.risk_ratio)[0],
        failed_with=counts.failed_with,
        failed_total=counts.failed_total,
        passed_with=counts.passed_with,
        passed_total=counts.passed_total,
        expected=outcome.expected * model.sample.traces_per_weight,
        q_value=float(min(1.0, np.exp(model.columns.search_nats_of(cause.key) - gain))),
        onset_ns=int(window.start_ns[failing[0]]),
        until_ns=int(window.start_ns[failing[-1]]),
        bounded=name.bounded,
        rivals=tuple(
            (difference, tuple(int(model.columns.item[column]) for column in key))
            for difference, key in cause.rivals[:RIVALS_MAX]
        ),
    )


def _counts(window: Window, channel: str, rows: Integers, weight: Floats) -> Contingency:
    """Weigh the traces by outcome, those on the rows and all."""
    failing = window.failing[channel]
    failed, passed = weight * failing, weight * ~failing
    return Contingency(
        failed_with=float(failed[rows].sum()),
        failed_total=float(failed.sum()),
        passed_with=float(passed[rows].sum()),
        passed_total=float(passed.sum()),
    )
