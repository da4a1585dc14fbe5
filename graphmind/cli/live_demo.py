"""What ``graphmind demo --live`` prints: what happens as it happens, then tables, or JSON."""

from collections.abc import Sequence
from typing import Final

from rich.markup import escape
from rich.table import Table

from graphmind.cli.commands import print_json
from graphmind.cli.options import Context
from graphmind.demo.outcome import FIGURES, Outcome, figures_in, is_back
from graphmind.demo.play import Script, play
from graphmind.demo.targets import Target, targets_of
from graphmind.demo.watching import Happening

WORDS: Final = {"p95_s": "P95 of a task", "failure_rate": "failing", "callback_rate": "called back"}


def run_live(run: Context, script: Script) -> int:
    """Play a fault; return 0 where it ended as it should, else 1."""
    began_ms: list[int] = []

    def show(one: Happening) -> None:
        if one.kind == "fault":
            began_ms.append(one.at_ms)
        since = f"{(one.at_ms - began_ms[-1]) / 1000:+7.1f} s" if began_ms else " " * 9
        run.err.print(f"{since}  [bold]{one.kind:10}[/bold] {escape(one.text)}", soft_wrap=True)

    outcomes = play(script, lambda line: run.err.print(escape(line), soft_wrap=True), show)
    if run.json:
        print_json(outcomes[-1].document())
    else:
        _print_outcomes(run, outcomes)
    return 0 if all(each.is_good for each in outcomes) else 1


def _print_outcomes(run: Context, outcomes: Sequence[Outcome]) -> None:
    for number, outcome in enumerate(outcomes, 1):
        run.out.print(_figures(outcome, f"{outcome.fault}, time {number}" if number > 1 else ""))
        run.out.print(_targets(targets_of(outcome)))
        cause = ", ".join(outcome.causes) or "none"
        run.out.print(f"named first: {escape(cause)}; verdict: {escape(outcome.verdict)}")
        for why in outcome.refusals:
            run.out.print(escape(why))


def _figures(outcome: Outcome, title: str) -> Table:
    table = Table(title=title or f"{outcome.fault}, seed {outcome.seed}", title_justify="left")
    for name in ("of all tasks", "healthy", "in the incident", "after", "back within 10 %"):
        table.add_column(name)
    stretches = (outcome.healthy, outcome.before, outcome.after)
    back = is_back(outcome)
    for name in FIGURES:
        cells = [_cell(name, figures_in(each)[name]) for each in stretches]
        said = {True: "yes", False: "no", None: "-"}[back[name]]
        table.add_row(WORDS[name], *cells, said)
    return table


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f} s" if name == "p95_s" else f"{value:.1%}"


def _targets(targets: Sequence[Target]) -> Table:
    table = Table()
    for name in ("what", "target", "measured", "met"):
        table.add_column(name)
    for each in targets:
        table.add_row(each.what, each.wanted, each.measured, "yes" if each.met else "no")
    return table
