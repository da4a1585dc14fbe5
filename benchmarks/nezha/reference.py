"""The design's executable reference on the same cases, if the design lies beside the checkout."""

import importlib.util
from pathlib import Path
from typing import Any

from benchmarks.public.places import Place

DESIGN = Path(__file__).parents[3] / "shared" / "design" / "reference_localise.py"


def load_reference(data: Path, cache: Path) -> Any:
    """Import the reference; it reads below ``data`` and keeps what it parsed in ``cache``."""
    spec = importlib.util.spec_from_file_location("reference_localise", DESIGN)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ROOT, module.CACHE = f"{data}/", f"{cache}/"
    return module


def reference_places(module: Any, system: str) -> list[Place]:
    """Place of the culprit in each case."""
    return [Place(ahead, tied) for ahead, tied in module.nezha(system, verbose=0)["all"]]
