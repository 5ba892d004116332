"""What streams cost the others, on the screen."""

from __future__ import annotations

import click
from rich.table import Table
from rich.text import Text

from analysis.findings import Findings
from analysis.others_table import CAPTION, HEADINGS, NOTE, rows
from harness.cli.prose import say
from harness.cli.tables import print_rows


def print_costs(findings: Findings) -> None:
    """A table under its caption; nothing where no case has others."""
    found = rows(findings)
    if not found:
        return
    click.echo(f"\n{CAPTION}:")
    table = Table(show_edge=False, pad_edge=False, padding=(0, 1))
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="right" if number else "left", no_wrap=bool(number))
    for row in found:
        table.add_row(*map(Text, row))
    print_rows(table)
    say(NOTE)
