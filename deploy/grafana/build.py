"""Writes the dashboards: ``python -m deploy.grafana.build``; ``--check`` only compares."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana import repair_boards, trace_boards

FOLDER: Final = Path(__file__).parent / "dashboards"
BOARDS: Final = (
    *(trace_boards.fleet, trace_boards.incident, trace_boards.diagnosis),
    *(trace_boards.anomaly_map, trace_boards.drift, trace_boards.capture),
    *(repair_boards.repairs, repair_boards.clusters, repair_boards.evolution),
)

INTERVALS_OWN: Final = ("auto", "auto_count", "auto_min")


def dashboards() -> dict[str, str]:
    """Return the text of each dashboard by its uid: the same in every run."""
    found = {}
    for make in BOARDS:
        built: dict[str, Any] = json.loads(JSONEncoder().encode(make().build()))
        # Grafana gives a dashboard that it reads from a file an id of its own.
        built["id"] = None
        for number, panel in enumerate(built["panels"], 1):
            panel["id"] = number
        for variable in built["templating"]["list"]:
            # The builders write what only intervals have into all variables.
            for name in INTERVALS_OWN:
                variable.pop(name, None)
        found[built["uid"]] = json.dumps(built, indent=1, sort_keys=True) + "\n"
    return found


def stale() -> list[str]:
    """Return the names of files that differ from what this code builds."""
    wanted = {f"{uid}.json": text for uid, text in dashboards().items()}
    there = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.json")}
    return sorted(
        name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name)
    )


def main() -> int:
    """Write the files, or tell which are stale. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if stale")
    found = stale()
    if parser.parse_args().check:
        told = f"stale: {', '.join(found)}; run python -m deploy.grafana.build\n"
        sys.stdout.write(told if found else "dashboards are fresh\n")
        return 1 if found else 0
    for name in found:
        (FOLDER / name).unlink(missing_ok=True)
    for uid, text in dashboards().items():
        (FOLDER / f"{uid}.json").write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(found)} of {len(BOARDS)} dashboards written anew to {FOLDER}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
