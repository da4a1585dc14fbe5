"""The whole analysis: a window in, findings out."""

from dataclasses import replace

import numpy as np

from graphmind.analysis.assignment import NONE, assign, responsibilities
from graphmind.analysis.bursts import Burst, find_bursts
from graphmind.analysis.explanation import Explanation, explain_channel
from graphmind.analysis.findings import Finding, Findings
from graphmind.analysis.fold import fold_channels
from graphmind.analysis.incidence import Flags, Floats, Integers
from graphmind.analysis.merging import merge_causes
from graphmind.analysis.options import CauseOptions
from graphmind.analysis.report import report_cause
from graphmind.analysis.window import Window, one_row_per_unit, rows_observed

EXAMPLES_MAX = 5


def find(window: Window, options: CauseOptions | None = None) -> Findings:
    """Find which failing traces of a window share a cause, and which one.

    No findings means that nothing can be told from the base rate.
    """
    options = options or CauseOptions()
    units = one_row_per_unit(window)
    rows_by_channel = {
        channel: rows
        for channel in sorted(window.failing)
        if _is_telling(
            window.failing[channel][rows := rows_observed(window, channel, units)], options
        )
    }
    findings: list[Finding] = []
    untestable = window.items.width
    for channel, rows in rows_by_channel.items():
        observed = window.take(rows) if len(rows) < window.n else window
        explanation = explain_channel(observed, channel, options, channels=len(rows_by_channel))
        found = _channel_findings(observed, channel, explanation, options)
        findings += [_in_rows(finding, rows) for finding in found]
        untestable = min(untestable, explanation.model.columns.untestable)
    folded = [_with_attempts(window, finding) for finding in fold_channels(findings)]
    return Findings(
        findings=tuple(folded),
        unexplained=_unexplained(window, folded),
        untestable_items=untestable,
    )


def _is_telling(failing: Flags, options: CauseOptions) -> bool:
    """Whether there are failures to explain, and healthy traces to hold them against."""
    return bool(failing.sum() >= options.failures_min and not failing.all())


def _channel_findings(
    window: Window, channel: str, explanation: Explanation, options: CauseOptions
) -> list[Finding]:
    """Report one channel: groups of causes, then bursts that none explains."""
    share = responsibilities(explanation, window)
    cause_of = assign(explanation, share)
    groups = merge_causes(
        window,
        explanation,
        cause_of,
        resolution=options.merge_resolution,
        least=options.merge_causes_min,
    )
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


def _in_rows(finding: Finding, rows: Integers) -> Finding:
    """Give a finding on some rows of a window in rows of the window."""
    return replace(
        finding,
        traces=rows[finding.traces],
        examples=tuple(rows[list(finding.examples)].tolist()),
        survivors=tuple(rows[list(finding.survivors)].tolist()),
    )


def _with_attempts(window: Window, finding: Finding) -> Finding:
    """Widen a finding to all failing attempts of its units."""
    failing = np.any([window.failing[channel] for channel in finding.channels], axis=0)
    of_unit = np.isin(window.unit, window.unit[finding.traces])
    return replace(finding, traces=np.flatnonzero(failing & of_unit))


def _unexplained(window: Window, findings: list[Finding]) -> Integers:
    """Failing rows in no finding."""
    left = np.any([np.zeros(window.n, bool), *window.failing.values()], axis=0)
    for finding in findings:
        left[finding.traces] = False
    return np.flatnonzero(left)
