"""A report as Markdown, for a README or a pull request, with its pictures as SVG files beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote

from analysis.exports.printable import printable
from analysis.exports.sections import escaped
from analysis.others_table import NOTE
from analysis.plots.picture import Absent, Picture
from analysis.plots.svg import standalone
from analysis.report.content import Report, gate_words
from analysis.report.definitions import definitions, limits
from analysis.report.hard import NotedTable
from analysis.report.rows import FigureRow, Table
from analysis.report.words import Sentence
from analysis.verdicts.gate import interval_name

_LONGEST_COMMAND = 2000


def markdown(report: Report, folder: str) -> str:
    """The text; its pictures are looked for in ``folder``, relative to it."""
    return "\n".join(_lines(report, folder))


def pictures(report: Report) -> Mapping[str, str]:
    """The pictures as files: their texts by file name."""
    return picture_files(report.pictures)


def picture_files(found: Sequence[Picture | Absent]) -> Mapping[str, str]:
    """These pictures as files: their texts by file name."""
    return {f"{item.name}.svg": standalone(item.svg) for item in found if isinstance(item, Picture)}


def evidence(found: Sequence[Picture | Absent], folder: str) -> Iterator[str]:
    """Each picture, which is looked for in ``folder``, with what is to be seen in it."""
    for item in found:
        if isinstance(item, Picture):
            alternative = escaped_whole(f"{item.title}. {item.description}")
            yield f"![{alternative}]({quote(folder)}/{item.name}.svg)"
            yield from ("", escaped_whole(item.what_to_see), "")
        else:
            yield from (f"{escaped(item.title)}: left out, since {escaped_whole(item.reason)}.", "")


def _lines(report: Report, folder: str) -> Iterator[str]:
    header = report.findings.header
    yield from (f"# {escaped(header.suite)}: does streaming pay here?", "")
    for gate in report.gates:
        yield f"- **gate {gate.state}**: {escaped(gate.name)}: {escaped(gate_words(gate))}"
    for answer in report.answers:
        yield from ("", f"**{_text(answer.headline)}**", "")
        yield from (f"- {_text(item)}" for item in answer.figures)
        if answer.buffer:
            yield from ("", _text(answer.buffer))
        if answer.others:
            yield ""
        yield from (f"- {_text(item)}" for item in answer.others)
    if report.costs.rows:
        yield from ("", f"## {report.costs.caption}", "", NOTE, "")
        yield from _captioned(report.costs)
    yield from ("", "## What is doubtful", "")
    if not report.doubts:
        yield "Nothing: the run is complete, its trials are valid, and the machine was fit."
    yield from (f"- {_text(item)}" for item in report.doubts)
    yield from ("", "## The evidence", "")
    yield from evidence(report.pictures, folder)
    yield from _hard(report.hard)
    yield from ("## Every figure", "")
    yield from _captioned(_figures(report.rows, interval_name(report.findings.header.terms)))
    for table in (report.cases, report.failures):
        yield from _captioned(table)
    yield from ("## How it was measured", "", "To repeat it:", "")
    yield from (f"    {printable(report.command, _LONGEST_COMMAND)}", "")
    yield from (f"- {what}: {escaped_whole(value)}" for what, value in report.facts)
    for table in report.tables:
        yield from _captioned(table)
    yield from ("", "What the figures mean:", "")
    yield from _table(
        ["figure", "is", "better", "definition"],
        ([", ".join(item.figures), item.meaning, item.better, item.id] for item in definitions()),
    )
    yield from ("What the figures do not say:", "")
    yield from (f"- {item}" for item in limits((header, report.findings.load)))
    yield ""


def _hard(tables: Sequence[NotedTable]) -> Iterator[str]:
    if tables:
        yield from ("## Hard users", "")
    for noted in tables:
        yield from (f"**{noted.table.caption}**", "")
        yield from _table(noted.table.headings, noted.table.rows)
        yield from (escaped_whole(noted.note), "")


def escaped_whole(text: str) -> str:
    """Our own sentences, longer than a name, as inert Markdown."""
    words = text.split(" ")
    return " ".join(escaped(word) for word in words)


def _text(sentence: Sentence) -> str:
    return "".join(
        escaped_whole(part) if isinstance(part, str) else escaped_whole(part.text) for part in sentence
    )


def _figures(rows: Sequence[FigureRow], interval_is: str) -> Table:
    return Table(
        "Every figure of every case, with its verdict against the whole form",
        ["case", "chunk", "figure", "value", "to the whole", interval_is, "verdict"],
        [[row.case, row.chunk, row.figure, row.value, row.effect, row.interval, row.verdict] for row in rows],
    )


def _captioned(table: Table) -> Iterator[str]:
    if table.rows:
        yield from ("", f"<details><summary>{escaped(table.caption)}</summary>", "")
        yield from _table(table.headings, table.rows)
        yield from ("</details>", "")


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"| {' | '.join(['---'] * len(headings))} |"
    for row in rows:
        yield f"| {' | '.join(escaped(cell) for cell in row)} |"
    yield ""
