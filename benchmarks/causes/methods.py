"""The methods compared, ours and the reference, behind one shape."""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

REFERENCE = Path(__file__).parents[3] / "shared" / "design" / "reference_causes.py"

Saved = dict[str, np.ndarray]
"""The arrays of a window of one channel."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """One finding of a method; with no names if it found a group but no cause."""

    names: list[set[tuple[int, ...]]]
    """Explanations by rank, tied ones as a set."""
    rows: np.ndarray
    confidence: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to find causes."""

    window: Callable[[Saved], Any]
    """Saved arrays -> its own window."""
    reports: Callable[[Any], list[Report]]


def saved(window: Any) -> Saved:
    """Return the arrays of a window whose only channel is the errors."""
    kinds = sorted(set(window.item_kinds))
    return {
        "start_ns": window.start_ns,
        "starts": window.items.starts,
        "columns": window.items.columns,
        "kinds": np.array(kinds),
        "kind": np.array([kinds.index(kind) for kind in window.item_kinds], np.int32),
        "touched_ns": window.touched_ns,
        "failing": window.failing["error"],
        "failing_ns": window.failing_ns["error"],
        "weight": window.weight,
        "stratum": window.stratum,
        "codes": np.stack([d.codes for d in window.descriptors]),
        "powers": np.array([d.power for d in window.descriptors]),
    }


def ours() -> Method:
    # Imported here so that the process that measures the reference does not load ours.
    from graphmind.analysis.find import find  # noqa: PLC0415
    from graphmind.analysis.incidence import Incidence  # noqa: PLC0415
    from graphmind.analysis.window import Descriptor, Window  # noqa: PLC0415

    def window(arrays: Saved) -> Window:
        n, width = len(arrays["start_ns"]), len(arrays["kind"])
        return Window(
            start_ns=arrays["start_ns"],
            items=Incidence(starts=arrays["starts"], columns=arrays["columns"], width=width),
            touched_ns=arrays["touched_ns"],
            item_kinds=tuple(arrays["kinds"][arrays["kind"]].tolist()),
            item_names=tuple(map(str, range(width))),
            failing={"error": arrays["failing"]},
            failing_ns={"error": arrays["failing_ns"]},
            weight=arrays["weight"],
            unit=np.arange(n, dtype=np.int32),
            stratum=arrays["stratum"],
            descriptors=tuple(
                Descriptor(codes=codes, power=float(power))
                for codes, power in zip(arrays["codes"], arrays["powers"], strict=True)
            ),
        )

    def reports(window: Window) -> list[Report]:
        return [
            Report(
                names=[{c.items, *c.tied} for c in finding.causes]
                + [{rival} for _, rival in finding.causes[0].rivals],
                rows=finding.traces,
                confidence=finding.causes[0].confidence,
            )
            if finding.causes
            else Report(names=[], rows=finding.traces)
            for finding in find(window).findings
        ]

    return Method(window=window, reports=reports)


def reference() -> Method:
    spec = importlib.util.spec_from_file_location("reference_causes", REFERENCE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["reference_causes"] = module
    spec.loader.exec_module(module)

    def window(arrays: Saved) -> Any:
        start, weight = arrays["start_ns"].astype(np.float64), arrays["weight"]
        began = np.where(arrays["failing"], arrays["failing_ns"], np.inf)
        return module.Window(
            n=len(start),
            indptr=arrays["starts"],
            indices=arrays["columns"],
            t=(start - start[0]) / max(start[-1] - start[0], 1),
            bad={"error": arrays["failing"]},
            item_type=arrays["kind"],
            weight=None if (weight == 1).all() else weight,
            stratum=arrays["stratum"],
            desc=tuple(zip(arrays["codes"], arrays["powers"], strict=True)),
            item_time=arrays["touched_ns"],
            bad_time={"error": began},
        )

    def reports(window: Any) -> list[Report]:
        return [
            Report(
                names=[{c["items"], *((item,) for item in c["tied"])} for c in incident["causes"]]
                + [{rival} for _, rival in incident["causes"][0]["rivals"]],
                rows=incident["traces"],
                confidence=incident["causes"][0]["confidence"],
            )
            if incident["causes"]
            else Report(names=[], rows=incident["traces"])
            for incident in module.run(window)
        ]

    return Method(window=window, reports=reports)


METHODS: dict[str, Callable[[], Method]] = {"ours": ours, "reference": reference}


def present() -> list[str]:
    """Methods that can be run here."""
    return [name for name in METHODS if name == "ours" or REFERENCE.exists()]
