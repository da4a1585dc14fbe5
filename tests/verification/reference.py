"""The executable reference of the rule, where the design folder is beside the checkout."""

import importlib.util
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from graphmind.verification.words import BYSTANDER, EXPOSED, GROUPS, METRICS, RECIPIENT, Verdict

PATH = Path(__file__).parents[3] / "shared" / "design" / "reference_verify.py"
LETTERS = {EXPOSED: "E", RECIPIENT: "R", BYSTANDER: "B"}
SHORT = dict(zip(METRICS, ("F2", "F", "L", "W"), strict=True))
CODES = (
    *(Verdict.OPEN, Verdict.EFFECTIVE, Verdict.NONE, Verdict.PARTIAL, Verdict.INCONCLUSIVE),
    *(Verdict.HARMFUL, Verdict.RELAPSED, Verdict.CONFIRMED),
)


@cache
def reference_module():
    if not PATH.exists():
        pytest.skip("the reference implementation is not beside the checkout")
    spec = importlib.util.spec_from_file_location("reference_verify", PATH)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["reference_verify"] = module
    spec.loader.exec_module(module)
    return module


def reference_plan(module, history, traffic):
    """The same history as the reference reads it."""
    healthy = {
        (LETTERS[group], SHORT[metric]): list(history.healthy[group, metric])
        for group in GROUPS
        for metric in METRICS
    }
    incident = {
        (LETTERS[group], SHORT[metric]): list(history.incident[metric])
        for group in GROUPS
        for metric in METRICS
    }
    return module.Plan(
        healthy,
        incident,
        list(history.incident_n),
        list(history.mix),
        traffic.exposed,
        traffic.recipient,
        traffic.bystander,
    )


def counted(verifier, name, group, metric, since_s):
    """(arrays, strata) of counts of a reference verifier."""
    held = {"stream": verifier.cnt, "pairs": verifier.par}[name]
    return np.array(held[LETTERS[group], SHORT[metric], int(since_s)])
