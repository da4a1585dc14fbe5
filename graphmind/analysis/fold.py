"""One incident with several symptoms: findings of different channels that blame the same thing."""

from dataclasses import replace

import numpy as np

from graphmind.analysis.findings import Cause, Finding


def fold_channels(findings: list[Finding]) -> list[Finding]:
    """Join each finding to the strongest one of other channels with a cause in common."""
    folded: list[Finding] = []
    for finding in sorted(findings, key=by_loss):
        for place, other in enumerate(folded):
            apart = not set(finding.channels) & set(other.channels)
            if apart and _blamed(finding.causes) & _blamed(other.causes):
                folded[place] = _join(other, finding)
                break
        else:
            folded.append(finding)
    return sorted(folded, key=by_loss)


def by_loss(finding: Finding) -> tuple[float, tuple[str, ...], tuple[int, ...]]:
    """Sort key: most failures beyond expectation first."""
    return -finding.lost, finding.channels, tuple(finding.traces[:1].tolist())


def _blamed(causes: tuple[Cause, ...]) -> set[tuple[int, ...]]:
    """Every name the causes could have."""
    names = {cause.items for cause in causes}
    return names | {items for cause in causes for items in cause.tied}


def _join(first: Finding, second: Finding) -> Finding:
    """One finding of both; causes of the second only where the first does not blame them."""
    blamed = _blamed(first.causes)
    fresh = tuple(cause for cause in second.causes if not blamed & _blamed((cause,)))
    return replace(
        first,
        channels=first.channels + second.channels,
        causes=first.causes + fresh,
        traces=np.union1d(first.traces, second.traces),
        lost=first.lost + second.lost,
    )
