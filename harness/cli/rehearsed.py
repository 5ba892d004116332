"""What a rehearsal found, for people: a table of the answers, doubts, and the lines that decide them."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.table import Table
from rich.text import Text

from analysis.exports.printable import printable_lines
from analysis.summary import labels
from analysis.table import amount
from harness.advice import Advice, Line, lines_of
from harness.cli.prose import say
from harness.cli.tables import print_rows, table_console
from harness.rehearsal import Answer, Rehearsed
from harness.suites.suite import Suite
from results.metrics import Unit

_MISSING = "–"
_HEADINGS = ("response", "status", "bytes", "framing", "chunks", "first chunk", "a chunk", "took")
#: In a terminal with so many columns there is a space on both sides of each figure.
_ROOMY = 100
_REMEDIES = {
    "app": "is this the app, as module:name, or what makes it, as module:name()?",
    "command": "does this start the server, in the directory?",
    "url": "does the server listen there?",
    "pid": "the process of the url",
    "directory": "is the app imported from there?",
    "python": "the interpreter that has what the app needs, and the server",
    "prepare": "does it end well when you run it there yourself?",
    "server": "install it where the app runs, or name another kind",
    "environment": "variables that the app needs",
    "ready": "a path that works, with a small response",
    "stream": "is this the path of the streamed response?",
    "baseline": "is this the same response built whole? An axis that changes the response is named here too",
    "method": "how the app wants to be asked",
    "headers": "what the app wants to see, like a token",
    "body": "what the app wants to be sent",
    "timeout": "longer, if the response takes so long",
    "status": "if this is the status that it should have",
    "check": '"length", if the response changes with every request',
    "expect": "whether it is meant to fail",
}


def print_answers(rehearsed: Rehearsed) -> None:
    """A row for each different response."""
    names = labels([answer.planned.case for answer in rehearsed.answers])
    rows = [[names[answer.planned.case.identity], *_cells(answer)] for answer in rehearsed.answers]
    table = Table(show_edge=False, pad_edge=False, padding=(0, int(table_console().width >= _ROOMY)))
    for heading, *cells in zip(_HEADINGS, *rows, strict=True):
        is_name = heading == _HEADINGS[0]
        table.add_column(
            heading,
            justify="left" if is_name or heading == "framing" else "right",
            no_wrap=not is_name,  # a figure that is cut is another figure
            min_width=None if is_name else max(map(len, cells)),
        )
    for row in rows:
        table.add_row(*map(Text, row))
    print_rows(table)


def _cells(answer: Answer) -> list[str]:
    found = answer.found
    return [
        _number(found.status),
        _number(found.body_bytes),
        found.framing,
        _number(found.chunks),
        _number(found.first_chunk_bytes),
        _number(found.median_chunk_bytes),
        amount(answer.took_s * 1e9, Unit.NANOSECONDS),
    ]


def _number(value: int | None) -> str:
    return _MISSING if value is None else f"{value:,}"


def print_advice(found: Sequence[Advice], suite: Suite, place: str) -> None:
    """What would spoil the run, each with the lines that decide it."""
    for item in found:
        click.echo()
        say(f"Doubtful: {item.what}.")
        for line in lines_of(suite.text, item.target, item.keys):
            click.echo(f"  {place}:{line.number}: {line.text}")


def failure(rehearsed: Rehearsed, suite: Suite, place: str) -> str:
    """What is wrong with the answers, and the lines of the suite that decide it."""
    answers = {answer.planned.case.identity: answer for answer in rehearsed.answers}
    names = labels([answer.planned.case for answer in rehearsed.answers])
    wrong: dict[str, list[str]] = {}
    lines: dict[Line, None] = {}
    for problem in rehearsed.problems:
        answer = answers[problem.case]
        words = problem.words if _is_the_server_s(answer) else ""
        wrong.setdefault(problem.what + words, []).append(names[problem.case])
        number = suite.target.index(answer.planned.target)
        lines |= dict.fromkeys(lines_of(suite.text, number, problem.keys))
    told = "".join(f"\n  {', '.join(cases)}: {what}" for what, cases in wrong.items())
    return remedied(f"not every response is what it must be:{told}", list(lines), place)


def _is_the_server_s(answer: Answer) -> bool:
    """Whether what is wrong is likely to be told by the server: it broke off, or failed."""
    found = answer.found
    return found.failure is not None or found.status is None or found.status >= 500


def remedied(what: str, lines: Sequence[Line], place: str) -> str:
    """What went wrong, and the lines to look at, each with what it may need."""
    where = "".join(
        f"\n  {place}:{line.number}: {line.text}  ({_REMEDIES[line.key]})" for line in dict.fromkeys(lines)
    )
    return printable_lines(what) + (f"\nLook at{where}" if lines else "")
