"""What hard users found, on the screen: what streams cost others, hang-ups, and memory over a long window."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from analysis import growth_table, hang_ups, others_table
from analysis.exports.printable import printable
from analysis.findings import Findings
from analysis.growth import memory_growths
from analysis.summary import summarize
from harness.cli.prose import say
from harness.cli.tables import print_rows
from results.run import Run
from results.store import Store
from results.trace import Trace


def print_costs(findings: Findings) -> None:
    """A row for each case with small requests beside its streams; nothing where a run has none."""
    _print(others_table.CAPTION, others_table.NOTE, others_table.HEADINGS, others_table.rows(findings))


def print_stored_hang_ups(run: Run, path: Path) -> None:
    """The same as `print_hang_ups`, with the traced trials of this run's store."""
    if any(case.parameters.get("scenario") == "hang-up" for case in run.header.cases):
        with Store.open_unchecked(path) as store:
            print_hang_ups(run, store.traces())


def print_hang_ups(run: Run, traces: Sequence[Trace]) -> None:
    """A row for each case whose clients hang up; nothing where a run has none."""
    _print(hang_ups.CAPTION, hang_ups.NOTE, *hang_ups.table(run, summarize(run), traces))


def print_growths(run: Run) -> None:
    """A row for each case of a soak, and what its verdict rests on; nothing where a run has none."""
    growths = memory_growths(run)
    found = [row[:-1] for row in growth_table.rows(growths)]
    _print(growth_table.CAPTION, growth_table.NOTE, growth_table.HEADINGS[:-1], found)
    for item in growths:
        say(f"{printable(item.label)} {item.verdict}: {item.reason}.", indent="  ")


def _print(caption: str, note: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    table = Table(show_edge=False, pad_edge=False)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left", no_wrap=bool(number))
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    click.echo(f"\n{caption}:")
    print_rows(table)
    say(note)
