"""Which cause each failing trace belongs to."""

import numpy as np

from graphmind.analysis.explanation import Explanation
from graphmind.analysis.incidence import Codes, Flags, Floats, Integers, sum_by
from graphmind.analysis.window import Window

# Measured: rounds of EM over the symptoms, and the pseudo-counts that shrink a cause's symptoms
# to those of all failing traces.
ROUNDS = 6
PSEUDO_COUNTS = 10.0
NONE = -1


def responsibilities(explanation: Explanation, window: Window) -> Floats:
    """Share of each cause in each failing trace; the background last: (failing, causes + 1).

    The causal share of the model times the likelihood of the trace's symptoms under each cause.
    """
    causal = _causal_weight(explanation)
    if window.cut is not None:
        causal = np.maximum(causal, _unseen_weight(explanation, window.cut))
    descriptors = window.descriptors
    share = causal / causal.sum(axis=1, keepdims=True)
    codes = [(d.codes[explanation.failing] + 1, d.power) for d in descriptors]
    for _ in range(ROUNDS if codes else 0):
        logs = np.log(causal + 1e-300)
        for symptom, power in codes:
            logs += power * _log_likelihood(symptom, share)[:, symptom].T
        share = np.exp(logs - logs.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
    return np.asarray(share)


def assign(explanation: Explanation, share: Floats) -> Integers:
    """Cause of each failing trace, NONE for the background or a cause too weak to report."""
    cause = share.argmax(axis=1)
    reported = np.array([not judged.weak for judged in explanation.judged] + [False])
    return np.where(reported[cause], cause, NONE)


def _causal_weight(explanation: Explanation) -> Floats:
    """Strength of each active cause and the base rate: (failing, causes + 1)."""
    model, failing = explanation.model, explanation.failing
    weight = np.zeros((len(failing), len(model.causes) + 1))
    weight[:, -1] = model.base_rate
    for number, cause in enumerate(model.causes):
        rows = cause.rows[model.sample.failing[cause.rows]]
        strength = cause.strength[model.sample.stratum[rows]]
        weight[np.searchsorted(failing, rows), number] = strength
    return weight


def _unseen_weight(explanation: Explanation, cut: Flags) -> Floats:
    """Weight of causes that a trace may have met after it was cut off: (failing, causes + 1).

    Strength times the share of all traces of the time that do meet the cause.
    """
    model, failing = explanation.model, explanation.failing
    weight = np.zeros((len(failing), len(model.causes) + 1))
    unsure = np.flatnonzero(cut[failing])
    for number, cause in enumerate(model.causes):
        first, last = cause.rows[[0, -1]]
        during = unsure[(failing[unsure] >= first) & (failing[unsure] <= last)]
        share = len(cause.rows) / (last - first + 1)
        weight[during, number] = share * cause.strength[model.sample.stratum[failing[during]]]
    return weight


def _log_likelihood(symptom: Codes, share: Floats) -> Floats:
    """Log probability of each symptom under each cause: (causes + 1, symptoms)."""
    kinds = int(symptom.max()) + 1
    pool = (np.bincount(symptom, minlength=kinds) + 1) / (len(symptom) + kinds)
    count = np.stack([sum_by(symptom, column, kinds) for column in share.T])
    total = count.sum(axis=1, keepdims=True)
    return np.asarray(np.log((count + PSEUDO_COUNTS * pool) / (total + PSEUDO_COUNTS)))
