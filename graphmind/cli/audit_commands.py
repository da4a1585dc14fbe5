"""What the commands about strategies and the trail do: ask the workbench, print the answer."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import orjson
import typer
from rich.markup import escape

from graphmind.cli import repair_tables as tables
from graphmind.cli.commands import print_json, working
from graphmind.cli.options import Context
from graphmind.errors import SourceError
from graphmind.repair.audit_views import counts_per_hour
from graphmind.repair.audit_views import records as records_of
from graphmind.repair.journal import AuditEntry
from graphmind.repair.strategies.loading import strategies_of
from graphmind.repair.strategies.marked import Unreadable

View = Literal["entries", "records", "per_hour"]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which entries of the trail; what is empty or None does not filter."""

    repair_id: str | None
    trace_id: str
    task_id: str
    strategy: str
    limit: int


def list_strategies(run: Context) -> None:
    """List all revisions."""
    with working(run) as bench:
        rows = bench.strategies()
    if run.json:
        print_json({"strategies": rows})
    else:
        tables.print_strategies(run.out, rows)


def validate_strategies(run: Context, paths: Sequence[Path]) -> None:
    """Check files together: an id may stand in one of them only."""
    texts = {str(path): _text(path) for path in _files(paths)}
    try:
        strategies = strategies_of(texts)
    except Unreadable as error:
        if run.json:
            print_json({"valid": [], "problems": [asdict(each) for each in error.problems]})
        else:
            for problem in error.problems:
                run.out.print(str(problem), markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    if run.json:
        print_json({"valid": [each.key for each in strategies], "problems": []})
    else:
        names = ", ".join(each.key for each in strategies)
        run.out.print(f"{len(strategies)} strategies are valid: {escape(names)}", soft_wrap=True)


def approve_strategy(run: Context, key: str, *, who: str) -> None:
    """Approve a revision."""
    with working(run) as bench:
        found = bench.approve_strategy(key=key, who=who)
    if run.json:
        print_json(found)
    else:
        people = ", ".join(found["approved_by"])
        run.out.print(f"{escape(found['key'])} is approved by {escape(people)}")


def show_audit(run: Context, wanted: Wanted, *, view: View) -> None:
    """Show entries, or what they add up to."""
    with working(run) as bench:
        found = bench.audit(**asdict(wanted))
    if view == "entries":
        if run.json:
            print_json({"entries": [entry_document(each) for each in found]})
        else:
            tables.print_entries(run.out, found)
        return
    rows = records_of(found) if view == "records" else [asdict(c) for c in counts_per_hour(found)]
    if run.json:
        print_json({view: rows})
    else:
        tables.print_rows(run.out, rows)


def verify_audit(run: Context) -> None:
    """Prove the trail; exit 1 where it is broken."""
    with working(run) as bench:
        breaks = bench.verify_audit()
    if run.json:
        print_json({"whole": not breaks, "breaks": [asdict(each) for each in breaks]})
    elif breaks:
        for each in breaks:
            run.out.print(f"{each.fault}: {each.detail}", markup=False, soft_wrap=True)
    else:
        run.out.print("the audit trail is what was written")
    if breaks:
        raise typer.Exit(1)


def export_package(run: Context, repair_id: str, file: Path | None) -> None:
    """Write the export package of a repair."""
    with working(run) as bench:
        package = bench.package(repair_id=repair_id)
    if file is None:
        print_json(package)
        return
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    try:
        file.write_bytes(orjson.dumps(package, option=options))
    except OSError as error:
        raise SourceError(f"{file} cannot be written: {error.strerror}. Name another") from error


def entry_document(entry: AuditEntry) -> dict[str, Any]:
    """Return an entry flat, by the names that its hash is over."""
    return {
        "seq": entry.seq,
        "prev_hash": entry.prev_hash,
        "hash": entry.hash,
        **asdict(entry.draft),
    }


def _files(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        found += sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not found:
        named = ", ".join(map(str, paths))
        raise SourceError(f"expected files or folders with *.yaml, found none in {named}")
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "its bytes are not UTF-8"
        raise SourceError(f"{path} cannot be read: {why}. Name a YAML file") from error
