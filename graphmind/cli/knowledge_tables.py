"""How an incident beside what is known is printed for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from graphmind.classification.verdict import Classification
from graphmind.cli.tables import print_rows
from graphmind.jobs.similar import Similar
from graphmind.matching.explanation import Compared
from graphmind.matching.verdict import Match


def print_similar(out: Console, found: Similar) -> None:
    """Print the verdict, then each past incident with what matches and what does not."""
    verdict = found.verdict
    out.print(
        f"[bold]{verdict.verdict}[/bold]: {found.incident_id} beside {verdict.cases} past incidents"
    )
    for match in verdict.matches:
        _print_match(out, match)


def _print_match(out: Console, match: Match) -> None:
    case = match.case
    out.print(f"\n{match.incident_id}  {match.verdict}, score {match.score:.2f}")
    lines = Table.grid(padding=(0, 2))
    lines.add_row("  it was", escape(case.title))
    if case.command:
        lines.add_row("  proposed", escape(" > ".join(case.command["repair_path"])))
    lines.add_row("  cause", escape(match.explanation.cause))
    for name in ("paths", "error_codes", "metrics", "log_keywords"):
        compared: Compared = getattr(match.explanation, name)
        lines.add_row(f"  {name.replace('_', ' ')}", escape(_compared(compared)))
    out.print(lines)


def _compared(compared: Compared) -> str:
    parts = (
        ("both", compared.shared),
        ("only then", compared.missing),
        ("only now", compared.added),
    )
    return "; ".join(f"{word}: {', '.join(names)}" for word, names in parts if names) or "none"


def print_classification(out: Console, found: Classification) -> None:
    """Print the verdict or why there is none, then the candidates."""
    if found.verdict:
        verdict = found.verdict
        out.print(f"[bold]{escape(verdict.root_cause)}[/bold] at {escape(verdict.root_node)}")
    else:
        out.print(f"no verdict: {escape(found.abstained)}")
    for candidate in found.candidates:
        out.print(
            f"  {candidate.confidence:.2f}  {escape(candidate.root_cause)}: "
            f"{escape(candidate.reason)}"
        )
    scores = ", ".join(f"{name} {f1:.2f}" for name, f1 in found.f1.items())
    out.print(
        f"by {found.route}, {found.cases} cases confirmed"
        + (f"; macro F1 in cross-validation: {scores}" if scores else "")
    )


def print_anomalies(out: Console, rows: Sequence[Mapping[str, Any]], traces: int) -> None:
    """Print the least usual traces; a score of 1 is what 1 % of healthy traces exceed."""
    out.print(f"The least usual of {traces:,} traces; 1 % of healthy ones score above 1.")
    print_rows(out, rows)
