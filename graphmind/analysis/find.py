"""The whole analysis: a window in, findings out."""

from dataclasses import replace

import numpy as np

from graphmind.analysis.assignment import NONE, assign, responsibilities
from graphmind.analysis.bursts import Burst, find_bursts
from graphmind.analysis.explanation import Explanation, explain_channel
from graphmind.analysis.findings import Finding, Findings
from graphmind.analysis.fold import fold_channels
from graphmind.analysis.incidence import Floats, Integers
from graphmind.analysis.merging import merge_causes
from graphmind.analysis.options import CauseOptions
from graphmind.analysis.report import report_cause
from graphmind.analysis.window import Window, one_row_per_unit

EXAMPLES_MAX = 5


def find(window: Window, options: CauseOptions | None = None) -> Findings:
    """Find which failing traces of a window share a cause, and which one.

    No findings means that nothing can be told from the base rate.
    """
    options = options or CauseOptions()
    rows = one_row_per_unit(window)
    observed = window.take(rows) if len(rows) < window.n else window
    channels = [
        channel
        for channel, failing in sorted(observed.failing.items())
        if failing.sum() >= options.failures_min and not failing.all()
    ]
    findings: list[Finding] = []
    untestable = observed.items.width
    for channel in channels:
        explanation = explain_channel(observed, channel, options, channels=len(channels))
        findings += _channel_findings(observed, channel, explanation, options)
        untestable = min(untestable, explanation.model.columns.untestable)
    folded = fold_channels(findings)
    if observed is not window:
        folded = [_with_attempts(window, rows, finding) for finding in folded]
    return Findings(
        findings=tuple(folded),
        unexplained=_unexplained(window, folded),
        untestable_items=untestable,
    )


def _channel_findings(
    window: Window, channel: str, explanation: Explanation, options: CauseOptions
) -> list[Finding]:
    """Report one channel: groups of causes, then bursts that none explains."""
    share = responsibilities(explanation, window.descriptors)
    cause_of = assign(explanation, share)
    groups = merge_causes(window, explanation, cause_of, resolution=options.merge_resolution)
    explained = [
        _explained_finding(window, channel, explanation, group, share=share, cause_of=cause_of)
        for group in groups
    ]
    bursts = find_bursts(window, explanation.failing[cause_of == NONE], options)
    return explained + [_burst_finding(channel, burst) for burst in bursts]


def _explained_finding(
    window: Window,
    channel: str,
    explanation: Explanation,
    group: list[int],
    *,
    share: Floats,
    cause_of: Integers,
) -> Finding:
    """Report some causes that belong together."""
    judged = sorted((explanation.judged[n] for n in group), key=lambda j: (-j.gain, j.cause.key))
    member = np.isin(cause_of, group)
    rows = explanation.failing[member]
    typical = np.argsort(-share[member][:, group].sum(axis=1), kind="stable")[:EXAMPLES_MAX]
    strongest = judged[0].cause.rows
    healthy = strongest[~window.failing[channel][strongest]]
    return Finding(
        channels=(channel,),
        causes=tuple(report_cause(window, channel, explanation, each) for each in judged),
        traces=rows,
        examples=tuple(rows[typical].tolist()),
        survivors=tuple(healthy[:EXAMPLES_MAX].tolist()),
        lost=float(
            sum(each.tally.excess for each in judged) * explanation.model.sample.traces_per_weight
        ),
    )


def _burst_finding(channel: str, burst: Burst) -> Finding:
    return Finding(
        channels=(channel,),
        causes=(),
        traces=burst.rows,
        examples=tuple(burst.rows[:EXAMPLES_MAX].tolist()),
        survivors=(),
        lost=float(len(burst.rows)),
    )


def _with_attempts(window: Window, rows: Integers, finding: Finding) -> Finding:
    """Widen a finding of observed rows to all failing attempts of its units."""
    own = rows[finding.traces]
    failing = np.any([window.failing[channel] for channel in finding.channels], axis=0)
    of_unit = np.isin(window.unit, window.unit[own])
    return replace(
        finding,
        traces=np.flatnonzero(failing & of_unit),
        examples=tuple(rows[list(finding.examples)].tolist()),
        survivors=tuple(rows[list(finding.survivors)].tolist()),
    )


def _unexplained(window: Window, findings: list[Finding]) -> Integers:
    """Failing rows in no finding."""
    left = np.any([np.zeros(window.n, bool), *window.failing.values()], axis=0)
    for finding in findings:
        left[finding.traces] = False
    return np.flatnonzero(left)
