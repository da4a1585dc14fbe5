"""What the commands of ``knowledge.py`` do: ask the workbench, print the answer."""

from pathlib import Path

from graphmind.cli import knowledge_tables as tables
from graphmind.cli.commands import print_json, working
from graphmind.cli.options import Context


def show_similar(run: Context, incident_id: str, limit: int) -> None:
    """Compare an incident with the library."""
    with working(run) as bench:
        found = bench.similar(incident_id=incident_id, limit=limit)
    if run.json:
        print_json(found)
    else:
        tables.print_similar(run.out, found)


def show_lineage(run: Context, *, incident: str, key: str, at_ms: int | None, trace: str) -> None:
    """Follow the bad values of an incident, of a key at a time, or of a trace."""
    with working(run) as bench:
        found = bench.lineage(incident_id=incident, key=key, at_ms=at_ms, trace_id=trace)
    if run.json:
        print_json(found)
    else:
        tables.print_lineage(run.out, found)


def show_class(run: Context, incident_id: str) -> None:
    """Classify the root cause of an incident."""
    with working(run) as bench:
        found = bench.classify(incident_id=incident_id)
    if run.json:
        print_json(found)
    else:
        tables.print_classification(run.out, found)


def confirm_class(run: Context, incident_id: str, label: str, *, by: str) -> None:
    """Archive an incident as a case of a class."""
    with working(run) as bench:
        found = bench.confirm(incident_id=incident_id, label=label, by=by)
    if run.json:
        print_json(found)
    else:
        run.out.print(f"{incident_id} is a case of {label}, confirmed by {by}")


def list_anomalies(run: Context, limit: int) -> None:
    """Score all traces by their behaviour; show the least usual."""
    with working(run) as bench:
        found = bench.anomalies(limit=limit)
    if run.json:
        print_json(found)
    else:
        tables.print_anomalies(run.out, found["anomalies"], found["traces"])


def write_review(run: Context, week: str) -> None:
    """Write the review of a week."""
    with working(run) as bench:
        found = bench.review(week=week)
    if run.json:
        print_json(found["review"])
    else:
        tables.print_review(run.out, found["review"], found["pages"])


def write_library(run: Context, file: Path, *, origin: str) -> None:
    """Export the library."""
    with working(run) as bench:
        entries = bench.export_library(file=str(file.absolute()), origin=origin)
    _print_counts(run, {"entries": entries}, f"{entries} fingerprints written to {file}")


def read_library(run: Context, file: Path) -> None:
    """Import a library."""
    with working(run) as bench:
        counts = bench.import_library(file=str(file.absolute()))
    words = ", ".join(f"{count} {name}" for name, count in counts.items())
    _print_counts(run, counts, f"fingerprints: {words}")


def _print_counts(run: Context, counts: dict[str, int], words: str) -> None:
    if run.json:
        print_json(counts)
    else:
        run.out.print(words, soft_wrap=True)
