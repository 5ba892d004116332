"""Tables on standard output, and what becomes of them where there is no room for one."""

from __future__ import annotations

import os
import sys

from rich.console import Console
from rich.table import Table

from harness.cli.prose import say

#: A table in a pipe is for people and for grep: wide enough that no cell is folded.
_PIPE_WIDTH = 240
_UNBOUNDED = 10_000


def table_console() -> Console:
    """Standard output: as wide as the terminal or as COLUMNS says, or wide enough in a pipe."""
    chosen = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal()
    return Console() if chosen else Console(width=_PIPE_WIDTH)


def print_rows(table: Table) -> None:
    """The table; where its narrowest form is too wide, a paragraph for each of its rows."""
    console = table_console()
    if console.measure(table, options=console.options.update(width=_UNBOUNDED)).minimum <= console.width:
        console.print(table)
        return
    headings = [str(column.header) for column in table.columns]
    for cells in zip(*(column.cells for column in table.columns), strict=True):
        first, *others = (str(cell) for cell in cells)
        told = [f"{heading} {cell}" for heading, cell in zip(headings[1:], others, strict=True) if cell]
        say(f"{headings[0]} {first}: {', '.join(told)}")
