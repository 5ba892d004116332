"""The table of a run's cases on the screen, in the width that there is."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.table import Table
from rich.text import Text

from analysis.summary import CaseSummary, summarize
from analysis.table import Column, columns, headline_columns
from harness.cli.prose import say
from harness.cli.tables import table_console
from results.run import Run

#: What a terminal must have for the whole table; a narrower one gets the columns that matter most.
_WHOLE_TABLE_WIDTH = 140
#: What each column that is not always there adds.
_COLUMN_WIDTH = 15
#: Below, even these do not stand beside each other.
_TABLE_WIDTH = 76


def print_table(run: Run) -> None:
    """The end table on standard output; where that is too narrow for one, a paragraph for each case."""
    console = table_console()
    rows = summarize(run)
    whole = columns(rows)
    needed = _WHOLE_TABLE_WIDTH + _COLUMN_WIDTH * (len(whole) - len(columns([])))
    if console.width >= needed:
        console.print(_table(rows, whole, padding=1))
        return
    if console.width >= _TABLE_WIDTH:
        console.print(_table(rows, headline_columns(rows), padding=0))
    else:
        _print_paragraphs(rows)
    say(f"(chunk sizes, p95 and CPU: in a terminal of {needed} columns, or in a pipe)")


def _table(rows: Sequence[CaseSummary], shown: Sequence[Column], padding: int) -> Table:
    table = Table(show_edge=False, pad_edge=False, padding=(0, padding))
    for number, column in enumerate(shown):
        table.add_column(column.heading, justify="right" if number else "left", no_wrap=bool(number))
    for row in rows:
        table.add_row(
            *(Text(column.cell(row)) for column in shown), style="bold" if row.case.is_baseline else ""
        )
    return table


def _print_paragraphs(rows: Sequence[CaseSummary]) -> None:
    """Each figure on a line of its own, with its ratio."""
    name, *others = headline_columns(rows)
    for row in rows:
        click.echo(name.cell(row), nl=False)
        for column in others:
            if column.heading != "ratio":
                click.echo(f"\n  {column.heading} {column.cell(row)}", nl=False)
            elif not row.case.is_baseline or row.control:
                click.echo(f" {column.cell(row)}", nl=False)
        click.echo()
