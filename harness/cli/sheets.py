"""Tables of words: cells are wrapped between words, and no word is cut."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from analysis.conformance.sheets import Sheet
from harness.cli.prose import say
from harness.cli.tables import table_console

#: Blanks around a line between columns: above, right, below, left.
_Padding = tuple[int, int, int, int]
#: Fewer where there is little room.
_PADDINGS: Sequence[_Padding] = ((0, 1, 0, 1), (0, 1, 0, 0))
#: And behind these characters a server's label is broken.
_BREAKS = ("", "/", "/=")


def print_sheet(made: Sheet) -> None:
    """The table in the terminal's width; a paragraph for each row where its longest words do not fit."""
    room = table_console().width
    columns = [list(cells) for cells in zip(made.headings, *made.rows, strict=True)]
    labels, *others = columns
    for breaks, padding in itertools.product(_BREAKS, _PADDINGS):
        broken = [_broken(label, breaks) for label in labels]
        widths = shared_width([broken, *others], room - (1 + sum(padding)) * (len(columns) - 1))
        if widths is not None:
            first = [
                label if len(label) <= widths[0] else parts
                for label, parts in zip(labels, broken, strict=True)
            ]
            _print_table([first, *others], widths, padding)
            return
    for row in made.rows:
        told = [f"{heading}: {cell}" for heading, cell in zip(made.headings, row, strict=True)]
        say("; ".join(told))


def _print_table(columns: Sequence[Sequence[str]], widths: Sequence[int], padding: _Padding) -> None:
    table = Table(show_edge=False, pad_edge=False, padding=padding)
    for (heading, *_), width in zip(columns, widths, strict=True):
        table.add_column(Text(heading), width=width)
    for row in list(zip(*columns, strict=True))[1:]:
        table.add_row(*map(Text, row))
    table_console().print(table)


def _broken(label: str, behind: str) -> str:
    """The label, which may be wrapped behind these characters: it has no blanks."""
    return "".join(f"{character}\n" if character in behind else character for character in label)


def shared_width(columns: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """The width of each column: that of its longest cell, the widest ones narrowed until all fit.

    None of them is narrower than its longest word; None where there is no room for these.
    """
    widths = [max(len(line) for cell in cells for line in cell.split("\n")) for cells in columns]
    least = [max(len(word) for cell in cells for word in cell.split() or [""]) for cells in columns]
    while sum(widths) > room:
        spare = [width if width > words else 0 for width, words in zip(widths, least, strict=True)]
        if not any(spare):
            return None
        widths[spare.index(max(spare))] -= 1
    return widths
