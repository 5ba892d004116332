"""Tables of words: cells are wrapped between words, and no word is cut."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from analysis.conformance.sheets import Sheet
from harness.cli.tables import print_rows, table_console

#: Blanks around a line between columns (above, right, below, left); fewer where there is little room.
_PADDINGS = ((0, 1, 0, 1), (0, 1, 0, 0))


def print_sheet(made: Sheet) -> None:
    """The table in the terminal's width; a paragraph for each row where its longest words do not fit."""
    room = table_console().width
    columns = [list(cells) for cells in zip(made.headings, *made.rows, strict=True)]
    table = Table(show_edge=False, pad_edge=False)
    widths = None
    for padding in _PADDINGS:
        table.padding = padding
        widths = shared_width(columns, room - (1 + sum(padding)) * (len(columns) - 1))
        if widths is not None:
            break
    for number, heading in enumerate(made.headings):
        table.add_column(Text(heading), width=widths[number] if widths else None, no_wrap=widths is None)
    for row in made.rows:
        table.add_row(*map(Text, row))
    print_rows(table)


def shared_width(columns: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """The width of each column: that of its longest cell, the widest ones narrowed until all fit.

    None of them is narrower than its longest word; None where there is no room for these.
    """
    widths = [max(map(len, cells)) for cells in columns]
    least = [max(len(word) for cell in cells for word in cell.split() or [""]) for cells in columns]
    while sum(widths) > room:
        spare = [width if width > words else 0 for width, words in zip(widths, least, strict=True)]
        if not any(spare):
            return None
        widths[spare.index(max(spare))] -= 1
    return widths
