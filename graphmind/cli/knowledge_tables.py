"""How an incident beside what is known is printed for people."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from graphmind.cli.tables import moment, print_command, print_rows

ROLLBACKS_SHOWN: Final = 10


def print_similar(out: Console, found: Mapping[str, Any]) -> None:
    """Print the verdict, then each past incident with what matches and what does not."""
    verdict = found["verdict"]
    out.print(
        f"[bold]{verdict['verdict']}[/bold]: {found['incident_id']} beside {verdict['cases']} "
        "past incidents"
    )
    for match in verdict["matches"]:
        _print_match(out, match)


def _print_match(out: Console, match: Mapping[str, Any]) -> None:
    case, explanation = match["case"], match["explanation"]
    out.print(f"\n{match['incident_id']}  {match['verdict']}, score {match['score']:.2f}")
    lines = Table.grid(padding=(0, 2))
    lines.add_row("  it was", escape(case["title"]))
    if command := case["command"]:
        lines.add_row("  proposed", escape(" > ".join(command["repair_path"])))
    lines.add_row("  cause", escape(explanation["cause"]))
    for name in ("paths", "error_codes", "metrics", "log_keywords"):
        lines.add_row(f"  {name.replace('_', ' ')}", escape(_compared(explanation[name])))
    out.print(lines)


def _compared(compared: Mapping[str, Sequence[str]]) -> str:
    parts = (
        ("both", compared["shared"]),
        ("only then", compared["missing"]),
        ("only now", compared["added"]),
    )
    return "; ".join(f"{word}: {', '.join(names)}" for word, names in parts if names) or "none"


def print_lineage(out: Console, found: Mapping[str, Any]) -> None:
    """Print where a bad value began, how far it came, and the command against it."""
    counts, zero = found["counts"], found["patient_zero"]
    subject = found["subject"]
    out.print(f"[bold]lineage of {subject['kind']} {escape(subject['name'])}[/bold]")
    lines = Table.grid(padding=(0, 2))
    lines.add_row("began with", escape(_write(zero)) if zero else "no single write")
    lines.add_row(
        "infected", f"{counts['traces']} traces, {counts['harmed']} of them failed after they read"
    )
    lines.add_row(
        "at risk",
        f"{counts['at_risk_traces']} healthy traces that read it, {counts['at_risk_keys']} keys "
        "that no failing trace has read yet",
    )
    lines.add_row("keys", f"{counts['keys']}, {counts['keys_holding']} hold a bad value still")
    for ring in found["by_hops"]:
        lines.add_row(f"hop {ring['hops']}", f"{ring['traces']} traces, {ring['harmed']} failed")
    closed = set(found["command"]["touches"]["keys"])
    shown = [each for each in found["rollbacks"] if each["key"] in closed]
    for each in shown[:ROLLBACKS_SHOWN]:
        lines.add_row("rollback", escape(_rollback(each)))
    out.print(lines)
    print_command(out, found["command"])


def _write(zero: Mapping[str, Any]) -> str:
    write = zero["write"]
    who = f" by agent {write['agent']}" if write["agent"] else ""
    return (
        f"the write of {write['key']} in trace {write['trace_id']}{who} at "
        f"{moment(write['at_ns'] // 1_000_000)} UTC, which {zero['explained']} failing traces "
        f"descend from ({zero['share']:.0%})"
    )


def _rollback(rollback: Mapping[str, Any]) -> str:
    healthy = len(rollback["healthy_writers"])
    lost = f"{rollback['writes']} writes lost, {healthy} of them of healthy traces"
    to = rollback["to"]
    back = f"back to trace {to['trace_id']}" if to else "no clean value is known"
    return f"{rollback['key']}: {back}; {lost}; {rollback['healthy_readers']} healthy readers"


def print_classification(out: Console, found: Mapping[str, Any]) -> None:
    """Print the verdict or why there is none, then the candidates."""
    if verdict := found["verdict"]:
        cause, node = escape(verdict["root_cause"]), escape(verdict["root_node"])
        out.print(f"[bold]{cause}[/bold] at {node}")
    else:
        out.print(f"no verdict: {escape(found['abstained'])}")
    for candidate in found["candidates"]:
        out.print(
            f"  {candidate['confidence']:.2f}  {escape(candidate['root_cause'])}: "
            f"{escape(candidate['reason'])}"
        )
    scores = ", ".join(f"{name} {f1:.2f}" for name, f1 in found["f1"].items())
    out.print(
        f"by {found['route']}, {found['cases']} cases confirmed"
        + (f"; macro F1 in cross-validation: {scores}" if scores else "")
    )


def print_anomalies(out: Console, rows: Sequence[Mapping[str, Any]], traces: int) -> None:
    """Print the least usual traces; a score of 1 is what 1 % of healthy traces exceed."""
    out.print(f"The least usual of {traces:,} traces; 1 % of healthy ones score above 1.")
    print_rows(out, rows)


def print_review(out: Console, review: Mapping[str, Any], pages: Mapping[str, str]) -> None:
    """Print the headline, the causes by standing, what to discuss, and where the pages are."""
    out.print(f"[bold]{review['week']}[/bold]  {escape(review['headline'])}")
    for standing in ("new", "recurring", "resolved"):
        for cause in review[standing]:
            out.print(f"\n{standing}  {escape(cause['cause'])}: {escape(cause['said'])}")
    if review["questions"]:
        out.print("\nto discuss")
    for number, each in enumerate(review["questions"], 1):
        out.print(f"  {number}. {escape(each['text'])}")
    out.print()
    for path in pages.values():
        out.print(escape(path), soft_wrap=True)
