"""The published cases: which files show which injected fault."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.nezha.files import service_of

SYSTEMS = ("nezha-trainticket", "nezha-onlineboutique")


@dataclass(frozen=True, kw_only=True)
class Minutes:
    """Files that belong together; logs may be absent."""

    traces: tuple[Path, ...]
    logs: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One injected fault."""

    name: str
    fault: str
    culprit: str
    window: Minutes
    before: Minutes
    services: frozenset[str]
    """Services with metrics on that day; some have no span in the window."""


def read_cases(system: Path) -> Iterator[Case]:
    """Read the cases of a system, in the order of the file."""
    for case in json.loads((system / "cases.json").read_text()):
        metrics = (system / "rca_data" / case["case"][:10] / "metric").glob("*_metric.csv.gz")
        yield Case(
            name=case["case"],
            fault=case["fault_type"],
            culprit=case["root_cause_service"],
            window=_minutes(system, case, "after"),
            before=_minutes(system, case, "before"),
            services=frozenset(
                service_of(path.name.removesuffix("_metric.csv.gz")) for path in metrics
            ),
        )


def read_references(system: Path) -> list[Minutes]:
    """Find the fault-free minutes of a system."""
    found = []
    for traces in sorted(system.glob("construct_data/*/trace/*.gz")):
        logs = traces.parents[1] / "log" / traces.name.replace("_trace.", "_log.")
        found.append(Minutes(traces=(traces,), logs=(logs,) if logs.exists() else ()))
    return found


def _minutes(system: Path, case: dict[str, list[str]], when: str) -> Minutes:
    return Minutes(
        traces=tuple(system / name for name in case[f"traces_{when}"]),
        logs=tuple(system / name for name in case[f"logs_{when}"]),
    )
