"""The executable reference of the method, where the design folder is beside the checkout."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

PATH = Path(__file__).parents[3] / "shared" / "design" / "reference_causes.py"


def reference_module():
    if not PATH.exists():
        pytest.skip("the reference implementation is not beside the checkout")
    spec = importlib.util.spec_from_file_location("reference_causes", PATH)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["reference_causes"] = module
    spec.loader.exec_module(module)
    return module


def reference_window(module, window):
    """The same window as the reference reads it."""
    kinds = sorted(set(window.item_kinds))
    start = window.start_ns.astype(float)
    return module.Window(
        n=window.n,
        indptr=window.items.starts,
        indices=window.items.columns,
        t=(start - start[0]) / (start[-1] - start[0]),
        bad=window.failing,
        item_type=np.array([kinds.index(kind) for kind in window.item_kinds]),
        weight=None if (window.weight == 1).all() else window.weight,
        unit=window.unit,
        stratum=window.stratum,
        desc=tuple((d.codes, d.power) for d in window.descriptors),
    )
