"""The end of a run on the screen: the table, the gates, what is doubtful, and the exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.summary import summarize
from analysis.table import columns
from analysis.verdict import GatedCase, judge_gates
from results.errors import ExitCode
from results.run import Run

#: A table in a pipe is for people and for grep: wide enough that no cell is folded.
_PIPE_WIDTH = 240


def print_table(run: Run) -> None:
    """The end table on standard output."""
    shown = columns()
    table = Table(show_edge=False, pad_edge=False)
    for number, column in enumerate(shown):
        table.add_column(column.heading, justify="right" if number else "left", overflow="fold")
    for row in summarize(run):
        table.add_row(
            *(Text(column.cell(row)) for column in shown), style="bold" if row.case.is_baseline else ""
        )
    console = Console() if sys.stdout.isatty() else Console(width=_PIPE_WIDTH)
    console.print(table)


def show_outcome(run: Run, gates: Sequence[GatedCase], path: Path) -> ExitCode:
    """Print everything that a run ends with; its exit code."""
    click.echo()
    print_table(run)
    click.echo("\nRatios are to the whole form on the same server under the same load (block by block);")
    click.echo('"(again)" is the whole form measured a second time: how far it is from ×1 is the noise.')
    code = ExitCode.GOOD
    for result in judge_gates(run, gates):
        verdict = "WORSE" if result.failed else "not worse"
        click.echo(f"gate: {result.name}: {verdict} (p = {result.p:.3g}, Holm)")
        if result.failed:
            code = ExitCode.WORSE
    invalid = [trial for trial in run.trials if trial.reason is not None]
    for trial in invalid:
        click.echo(f"invalid: trial {trial.slot.position} ({trial.slot.case}): {trial.reason}", err=True)
    if invalid:
        click.echo(
            f"{len(invalid)} of {len(run.trials)} trials are invalid and left out of the figures above",
            err=True,
        )
        code = ExitCode.INVALID
    click.echo(f"\nStored in {path}")
    return code
