"""What ``graphmind diagnose`` does: ask the workbench, print."""

from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from graphmind.cli.commands import print_json, working
from graphmind.cli.options import Context
from graphmind.cli.tables import moment, print_command
from graphmind.jobs.diagnose import NOTHING

TIMELINE_SHOWN: Final = 40
"""Entries printed; ``--json`` has all (chosen: a screen)."""
CODES_SHOWN: Final = 8


def show_diagnosis(run: Context, *, task_id: str, trace_id: str) -> None:
    """Diagnose a task or a trace."""
    with working(run) as bench:
        found = bench.diagnose(task_id=task_id or None, trace_id=trace_id or None)
    if run.json:
        print_json(found)
    else:
        print_diagnosis(run.out, found)


def print_diagnosis(out: Console, found: Mapping[str, Any]) -> None:
    """Print what happened, in which order, what is recommended, and what was not found."""
    out.print(f"[bold]trace {escape(found['trace_id'])}[/bold]")
    lines = Table.grid(padding=(0, 2))
    lines.add_column(min_width=10)
    lines.add_column(overflow="fold")
    for name, text in _summary(found):
        lines.add_row(f"  {name}", escape(text))
    out.print(lines)
    _print_timeline(out, found["timeline"])
    command = found["recommended_action"]
    if command["action"] == NOTHING:
        out.print(f"\nnothing is recommended: {escape('; '.join(command['reasons']))}")
    else:
        print_command(out, command)
    for text in found["not_found"]:
        out.print(f"[dim]not found: {escape(text)}[/dim]", soft_wrap=True)


def _summary(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [("task", f"{found['task_id'] or 'unknown'}, {_attempts(found)}")]
    if outcome := found["outcome"]:
        took = f"{outcome['outcome']} after {outcome['duration_ms']:.0f} ms"
        rows.append(("outcome", f"{took}, began {moment(outcome['start_ms'])}"))
    rows += [
        ("symptom", f"{each['kind']} at {each['module'] or 'an unnamed module'}: {each['code']}")
        for each in found["symptoms"]
    ]
    if root := found["root_span"]:
        rows.append((f"{root['role']} span", f"{root['path']} ({root['span_id']})"))
    if codes := found["error_codes"][:CODES_SHOWN]:
        texts = (f"{each['code']} {each['spans']} + {each['lines']}" for each in codes)
        rows.append(("codes", f"{', '.join(texts)} (spans + lines)"))
    rows += [
        ("metric", f"{each['trigger']} {each['value']:g} {each['unit']}, limit {_limit(each)}")
        for each in found["metric_anomaly"]
    ]
    if incident := found["incident"]:
        sure = f"confidence {incident['confidence']:.2f}"
        rows.append(("incident", f"{incident['incident_id']}: {incident['title']} ({sure})"))
    return rows


def _limit(anomaly: Mapping[str, Any]) -> str:
    where = anomaly["module"] or anomaly["agent"] or "everywhere"
    usual = "; it nearly always is" if anomaly["chronic"] else ""
    return f"{anomaly['threshold']:g}, at {where}{usual}"


def _attempts(found: Mapping[str, Any]) -> str:
    count = found["counts"]["attempts"]
    return "one trace" if count == 1 else f"{count} traces, the newest failing one is shown"


def _print_timeline(out: Console, timeline: list[Mapping[str, Any]]) -> None:
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    first = timeline[0]["at_ms"] if timeline else 0
    for entry in timeline[:TIMELINE_SHOWN]:
        mark = "!" if entry["failed"] else ""
        indent = "  " * (entry["depth"] or 0)
        took = "" if entry["duration_ms"] is None else f"{entry['duration_ms']:.0f} ms"
        text = f"{indent}{entry['text']}"
        table.add_row(f"  +{entry['at_ms'] - first} ms", entry["source"], mark + took, escape(text))
    out.print()
    out.print(table)
    if len(timeline) > TIMELINE_SHOWN:
        out.print(f"  and {len(timeline) - TIMELINE_SHOWN} more (--json has all)")
