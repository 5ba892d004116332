"""Markdown in sections: escaped, folded, and cut where a summary would grow too long.

Source of what must be escaped: GitHub Flavored Markdown 0.29; CommonMark 0.31.2, 2.5: a character reference
is never taken for markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis.exports.printable import printable

#: GitHub refuses a step's summary of more than 1 MiB.
_MOST_BYTES = 1_000_000
#: What GitHub's Markdown could take for its own: markup, HTML, links, mentions, emoji and formulas.
_MARKUP = re.compile(r"[\\|`*~<>\[\]&@#!$]|(?<![^\W_])_|_(?![^\W_])|:(?=\S)|(?<=www)\.", re.IGNORECASE)
_NOTE = (
    "**Cut short:** {} more lines do not fit into 1 MiB. `streamgauge export --format json` has everything."
)


@dataclass(frozen=True, slots=True)
class Section:
    """Lines between an opening and a closing; without lines there is nothing of it."""

    lines: Sequence[str]
    opening: Sequence[str] = ()
    closing: Sequence[str] = ("",)


def escaped(text: str) -> str:
    """Any text as inert Markdown on one line: what is markup becomes a character reference."""
    return _MARKUP.sub(lambda match: f"&#{ord(match[0])};", printable(text))


def fitted(sections: Iterable[Section]) -> str:
    """All sections in their order, the later ones cut where the whole would grow too long."""
    out: list[str] = []
    room = _MOST_BYTES - len(_NOTE) - 100
    left_out = 0
    for section in sections:
        if not section.lines:
            continue
        room -= _size([*section.opening, *section.closing])
        kept = 0
        while kept < len(section.lines) and not left_out and room >= _size([section.lines[kept]]):
            room -= _size([section.lines[kept]])
            kept += 1
        left_out += len(section.lines) - kept
        if kept:
            out += [*section.opening, *section.lines[:kept], *section.closing]
    if left_out:
        out += [_NOTE.format(f"{left_out:,}"), ""]
    return "\n".join(out)


def _size(lines: Sequence[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def table(headings: Sequence[str], rows: Iterable[Iterable[str]]) -> Section:
    """Cells are Markdown already."""
    return Section(
        [f"| {' | '.join(row)} |" for row in rows],
        opening=[f"| {' | '.join(headings)} |", f"| {' | '.join(['---'] * len(headings))} |"],
    )


def folded(title: str, section: Section) -> Section:
    """The section behind a line that opens it."""
    return Section(
        section.lines,
        opening=[f"<details><summary>{title}</summary>", "", *section.opening],
        closing=["", "</details>", ""],
    )
