"""How answers look at a terminal."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

IDS_SHOWN = 5
COLUMN_WIDTH_MIN = 14
"""Narrower columns break their words (chosen)."""


def print_incidents(out: Console, incidents: Sequence[Mapping[str, Any]]) -> None:
    """Print a few lines an incident: what happened, why, how sure, what to do."""
    if not incidents:
        out.print("No incidents: nothing that can be told from the base rate.")
    for incident in incidents:
        happened = incident["title"].partition(": ")[0]
        out.print(
            f"\n[bold]{incident['incident_id']}[/bold]  {incident['severity']}  {escape(happened)}"
        )
        lines = Table.grid(padding=(0, 2))
        lines.add_column(min_width=10)
        lines.add_column(overflow="fold")
        for name, value in _brief(incident):
            lines.add_row(f"  {name}", escape(value))
        out.print(lines)


def print_incident(out: Console, incident: Mapping[str, Any]) -> None:
    """Print everything known about one incident."""
    out.print(Panel(escape(incident["title"]), title=incident["incident_id"], title_align="left"))
    facts = Table.grid(padding=(0, 2))
    for name, value in _verdict(incident):
        facts.add_row(name, escape(value))
    out.print(facts)
    for cause in incident["causes"]:
        _print_cause(out, cause)
    print_command(out, incident["command"])


def print_command(out: Console, command: Mapping[str, Any]) -> None:
    """Print a proposed command and why."""
    out.print(f"\n[bold]proposed command[/bold] ({command['level']} level, not run)")
    for step in command["repair_path"]:
        out.print(f"  {escape(step)}")
    for reason in command["reasons"]:
        out.print(f"  because {escape(reason)}")


def print_rows(out: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the rows of an answer: as a table, or one below the other where it would not fit."""
    if not rows:
        out.print("No rows.")
        return
    if out.width < COLUMN_WIDTH_MIN * len(rows[0]):
        for row in rows:
            _print_record(out, row)
        return
    table = Table()
    for name in rows[0]:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(escape(_cell(value)) for value in row.values()))
    out.print(table)


def _print_record(out: Console, row: Mapping[str, Any]) -> None:
    lines = Table.grid(padding=(0, 2))
    for name, value in row.items():
        lines.add_row(name, escape(_cell(value)))
    out.print(lines, "")


def print_rejections(err: Console, rejected: Sequence[Mapping[str, Any]]) -> None:
    """Say what a load could not use."""
    for row in rejected:
        samples = "; ".join(row["samples"])
        err.print(
            f"[yellow]{row['count']} x {escape(str(row['reason']))}[/yellow] {escape(samples)}"
        )


def moment(epoch_ms: int) -> str:
    """Write a time for people, in UTC."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _brief(incident: Mapping[str, Any]) -> list[tuple[str, str]]:
    steps = " > ".join(incident["command"]["repair_path"])
    since = ("since", f"{moment(incident['onset_ms'])} UTC")
    if not incident["causes"]:
        return [("cause", "none that these traces share was recorded"), since, ("proposes", steps)]
    cause = incident["causes"][0]
    with_, without = _shares(cause)
    return [
        ("cause", f"{cause['label']}{_tied_note(cause)}"),
        ("evidence", f"{with_} fail with it, {without} without"),
        (
            "certainty",
            f"{cause['confidence']:.2f}, risk ratio at least {cause['risk_ratio_low']:.1f}",
        ),
        since,
        ("proposes", steps),
    ]


def _tied_note(cause: Mapping[str, Any]) -> str:
    """Say what else it may be: the data cannot tell."""
    names = [
        " + ".join(f"{item['kind']} {item['name']}" for item in group) for group in cause["tied"]
    ]
    return f" (or {', or '.join(names[:IDS_SHOWN])})" if names else ""


def _shares(cause: Mapping[str, Any]) -> tuple[str, str]:
    touched = cause["failed_with"] + cause["passed_with"]
    others = cause["failed_total"] + cause["passed_total"] - touched
    without = cause["failed_total"] - cause["failed_with"]
    return f"{cause['failed_with']:g} of {touched:g}", f"{without:g} of {others:g}"


def _verdict(incident: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The five parts: where, what, how, since when, who else."""
    codes = ", ".join(f"{code} ({n})" for code, n in list(incident["error_codes"].items())[:3])
    where = f"{incident['root_module']} ({incident['root_module_share']:.0%} of its traces)"
    return [
        ("where", where if incident["root_module"] else "no single place"),
        ("path", incident["root_path"] or "-"),
        *_departures(incident["where"]),
        ("what", incident["causes"][0]["label"] if incident["causes"] else "unexplained"),
        ("how", incident["symptom"] + (f": {codes}" if codes else "")),
        ("since", f"{moment(incident['onset_ms'])} UTC"),
        *(("after", _change(change)) for change in incident["changes"]),
        ("breaks at", _effects(incident, "critical")),
        ("hits", _effects(incident, "impact")),
        ("who else", _others(incident["reach"])),
        ("seen", _seen(incident.get("seen"))),
        ("for example", ", ".join(incident["examples"][:IDS_SHOWN])),
        ("survived", ", ".join(incident["survivors"][:IDS_SHOWN]) or "none"),
    ]


def _others(reach: Mapping[str, Any]) -> str:
    counts = [f"{len(reach[name])} {name}" for name in ("tasks", "agents", "regions")]
    healthy = reach["traces"] - reach["failing"]
    return f"{reach['traces']} traces touch it, {healthy} still healthy: {', '.join(counts)}"


def _departures(where: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Say which services depart from fault-free periods; more than one where it is not sure."""
    if where is None:
        return []
    sure = "perhaps " if where["weak"] else ""
    return [
        ("departs", f"{sure}{p['service']} {p['operation']} ({p['score']:g} x): {p['evidence']}")
        for p in where["places"]
    ]


def _seen(seen: Mapping[str, Any] | None) -> str:
    if seen is None:
        return "not compared with past incidents"
    past = [f"{m['incident_id']} ({m['score']:.2f}): {m['title']}" for m in seen["matches"]]
    return "; ".join([seen["verdict"], *past])


def _change(change: Mapping[str, Any]) -> str:
    minutes = change["before_onset_ms"] / 60_000
    author = f" by {change['author']}" if change["author"] else ""
    near = "" if change["of_cause"] else ", of something else"
    return f"{change['summary']}{author}, {minutes:.0f} min before{near}"


def _effects(incident: Mapping[str, Any], role: str) -> str:
    named = [
        f"{effect['kind']} {effect['name']} ({effect['share']:.0%})"
        for effect in incident["effects"]
        if effect["role"] == role
    ]
    return ", ".join(named) or ("the cause itself" if role == "critical" else "nothing else")


def _print_cause(out: Console, cause: Mapping[str, Any]) -> None:
    with_, without = _shares(cause)
    out.print(f"\n[bold]cause {cause['rank']}[/bold]: {escape(cause['label'])}")
    out.print(
        f"  failed {with_} with it, {without} without; risk ratio {cause['risk_ratio']:.1f} "
        f"(at least {cause['risk_ratio_low']:.1f}); confidence {cause['confidence']:.2f}; "
        f"q {cause['q_value']:.2g}"
    )
    for group in cause["tied"]:
        names = " + ".join(f"{item['kind']} {item['name']}" for item in group)
        out.print(f"  the data cannot tell it from: {escape(names)}")
    for rival in cause["rivals"]:
        names = " + ".join(f"{item['kind']} {item['name']}" for item in rival["all_of"])
        out.print(f"  rather than {escape(names)}: {rival['nats_behind']:.1f} nats behind")


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)
