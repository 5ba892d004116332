"""The end of a run on the screen: the table, the gates, what is doubtful, and the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from analysis.summary import summarize
from analysis.table import amount, columns, headline_columns
from analysis.verdicts.fitness import unfit
from analysis.verdicts.trust import trustworthy
from analysis.verdicts.verdict import GatedCase, judge_gates
from harness.cli.memory import print_slopes
from harness.cli.recommend import print_detectable, print_recommendations
from harness.cli.tables import table_console
from results.errors import ExitCode
from results.metrics import Unit
from results.run import Run

#: What a terminal must have for the whole table; a narrower one gets the columns that matter most.
_WHOLE_TABLE_WIDTH = 140
#: What each column that is not always there adds.
_COLUMN_WIDTH = 15


def print_table(run: Run) -> None:
    """The end table on standard output."""
    console = table_console()
    rows = summarize(run)
    whole = columns(rows)
    needed = _WHOLE_TABLE_WIDTH + _COLUMN_WIDTH * (len(whole) - len(columns([])))
    narrow = console.width < needed
    shown = headline_columns(rows) if narrow else whole
    table = Table(show_edge=False, pad_edge=False, padding=(0, 0) if narrow else (0, 1))
    for number, column in enumerate(shown):
        table.add_column(column.heading, justify="right" if number else "left", no_wrap=bool(number))
    for row in rows:
        table.add_row(
            *(Text(column.cell(row)) for column in shown), style="bold" if row.case.is_baseline else ""
        )
    console.print(table)
    if narrow:
        click.echo(f"(chunk sizes, p95 and CPU: in a terminal of {needed} columns, or in a pipe)")


def print_unfit(run: Run) -> None:
    """On standard error, when the run's own A/A control shows that its machine was unfit to measure."""
    found = unfit(run)
    for item in found:
        click.echo(
            f"unfit: {item.label}: {item.verdict.figure.name} came out {item.verdict.kind}: "
            f"{item.verdict.reason}",
            err=True,
        )
    if found:
        click.echo(
            "The machine was unfit: it told a response from itself, measured twice in each block. Do not "
            "rely on differences of this size; measure again on a quieter machine, or with longer windows",
            err=True,
        )


def show_outcome(run: Run, gates: Sequence[GatedCase], left_out: Sequence[str], path: Path) -> ExitCode:
    """Print everything that a run ends with; its exit code. ``left_out`` names the gates not judged."""
    click.echo()
    print_table(run)
    print_slopes(run)
    click.echo("\nRatios are to the whole form on the same server under the same load (block by block);")
    click.echo('"(again)" is the whole form measured a second time: how far it is from ×1 is the noise.')
    print_recommendations(run)
    invalid = [trial for trial in run.trials if trial.reason is not None]
    for trial in invalid:
        click.echo(f"invalid: trial {trial.slot.position} ({trial.slot.case}): {trial.reason}", err=True)
    if invalid:
        click.echo(
            f"{len(invalid)} of {len(run.trials)} trials are invalid and left out of the figures above",
            err=True,
        )
    print_detectable(run)
    print_unfit(run)
    click.echo(f"\nStored in {path}")
    for name in left_out:
        click.echo(f"gate: {name}: NOT JUDGED, --only left its case out")
    worse = False
    for gate, result in zip(gates, judge_gates(run, gates), strict=True):
        unit = gate.limit.figure.unit
        measured = f"{amount(result.figure, unit)} against a limit of {amount(result.limit, unit)}"
        verdict = "WORSE" if result.failed else "not worse"
        if result.within_error_ns is not None:
            verdict += f", within the client's error of {amount(result.within_error_ns, Unit.NANOSECONDS)}"
        click.echo(f"gate: {result.name}: {verdict}: {measured} (p = {result.p:.3g}, Holm)")
        worse = worse or result.failed
    if not trustworthy(run.trials):
        return ExitCode.INVALID
    return ExitCode.WORSE if worse else ExitCode.GOOD
