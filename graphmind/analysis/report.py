"""The evidence for one cause, as it is handed on."""

import numpy as np

from graphmind.analysis.explanation import Explanation, Judged, risk_ratio_low, tally_without
from graphmind.analysis.findings import Cause
from graphmind.analysis.incidence import Integers
from graphmind.analysis.ties import name_cause
from graphmind.analysis.window import Window

RIVALS_MAX = 5
# Logistic fit of "the named cause is the right one" on 1,242 reports of planted windows, for causes
# of one and of two items: constant, and slope of the log odds of the posterior.
CONFIDENCE = {1: (0.559, 0.277), 2: (-1.737, 0.460)}
POSTERIOR_MARGIN = 1e-4


def report_cause(window: Window, channel: str, explanation: Explanation, judged: Judged) -> Cause:
    """Report a cause under its best name, with the counts of the traces of that name."""
    model, cause = explanation.model, judged.cause
    name = name_cause(model, cause, window.item_kinds)
    outcome = tally_without(model, cause, name.rows)
    gain = outcome.gain - cause.choices_nats
    counts = _counts(window, channel, name.rows)
    failing = name.rows[window.failing[channel][name.rows]]
    return Cause(
        items=name.items,
        tied=name.tied,
        channel=channel,
        confidence=_confidence(cause.posterior, items=len(cause.key)),
        posterior=cause.posterior,
        gain_nats=gain,
        risk_ratio=_risk_ratio(*counts),
        risk_ratio_low=risk_ratio_low(outcome, model.base_rate),
        failed_with=counts[0],
        failed_total=counts[1],
        passed_with=counts[2],
        passed_total=counts[3],
        expected=outcome.expected * model.sample.traces_per_weight,
        q_value=float(min(1.0, np.exp(model.columns.log_tests - gain))),
        onset_ns=int(window.start_ns[failing[0]]),
        until_ns=int(window.start_ns[failing[-1]]),
        bounded=name.bounded,
        rivals=tuple(
            (difference, tuple(int(model.columns.item[column]) for column in key))
            for difference, key in cause.rivals[:RIVALS_MAX]
        ),
    )


def _counts(window: Window, channel: str, rows: Integers) -> tuple[float, float, float, float]:
    """Weight of failed with, failed total, passed with, passed total."""
    failing, weight = window.failing[channel], window.weight
    failed, passed = weight * failing, weight * ~failing
    return (
        float(failed[rows].sum()),
        float(failed.sum()),
        float(passed[rows].sum()),
        float(passed.sum()),
    )


def _risk_ratio(
    failed_with: float, failed_total: float, passed_with: float, passed_total: float
) -> float:
    """Failing rate with the cause over the rate without; no failure without counts as a half."""
    failed = max(failed_total - failed_with, 0.5)
    without = failed + passed_total - passed_with
    return failed_with / (failed_with + passed_with) / (failed / without)


def _confidence(posterior: float, *, items: int) -> float:
    """Probability that the named cause is right."""
    posterior = min(max(posterior, POSTERIOR_MARGIN), 1 - POSTERIOR_MARGIN)
    constant, slope = CONFIDENCE[items]
    score = constant + slope * np.log(posterior / (1 - posterior))
    return float(1 / (1 + np.exp(-score)))
