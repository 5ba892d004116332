"""A report as Markdown: what the page says, its pictures beside it, and nothing that takes effect."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from markdown_it import MarkdownIt
from markdown_it.token import Token

from analysis.report import markdown
from analysis.report.content import Report
from analysis.report.definitions import definitions, limits
from tests.analysis.report.reading import pictures, text

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def tokens(source: str) -> list[Token]:
    parsed = PARSER.parse(source)
    return [part for token in parsed for part in (token, *(token.children or []))]


def words(source: str) -> str:
    """What is left to read when it is shown."""
    return "".join(token.content for token in tokens(source) if token.type in {"text", "text_special"})


def test_it_says_what_the_page_says(known_report: Report) -> None:
    shown = words(markdown.markdown(known_report, "pictures"))
    for answer in known_report.answers:
        for sentence in (answer.headline, *answer.figures, answer.buffer or [], *answer.others):
            assert text(sentence) in shown
    for doubt in known_report.doubts:
        assert text(doubt) in shown
    for row in known_report.rows:
        for cell in (row.case, row.figure, row.value, row.effect, row.interval, row.verdict):
            assert cell in shown
    assert all(what in shown and value in shown for what, value in known_report.facts)
    assert all(limit in shown for limit in limits((known_report.findings.header, None)))
    assert known_report.command in markdown.markdown(known_report, "pictures")


def test_each_picture_is_a_file_beside_it(known_report: Report) -> None:
    sources = [
        token.attrs["src"]
        for token in tokens(markdown.markdown(known_report, "a b"))
        if token.type == "image"
    ]
    files = markdown.pictures(known_report)
    assert sources == [f"a%20b/{name}" for name in files]
    assert set(files) == {f"{name}.svg" for name in pictures(known_report)}
    for file in files.values():
        assert ET.fromstring(file).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314  - ours


def test_tables_have_all_rows(known_report: Report) -> None:
    rows = [token for token in tokens(markdown.markdown(known_report, "x")) if token.type == "tr_open"]
    tables = [known_report.cases, known_report.failures, *known_report.tables]
    bodies = [known_report.rows, definitions(), *(table.rows for table in tables if table.rows)]
    assert len(rows) == sum(1 + len(body) for body in bodies)


def test_text_of_a_hostile_app_takes_no_effect(hostile_report: Report) -> None:
    source = markdown.markdown(hostile_report, "x")
    found = tokens(source)
    html = [token.content.strip() for token in found if token.type.startswith("html")]
    assert html
    assert all(re.fullmatch("<details><summary>[^<>]*</summary>|</details>", content) for content in html)
    assert {token.attrs["src"] for token in found if token.type == "image"} == {
        f"x/{name}" for name in markdown.pictures(hostile_report)
    }
    assert not [token for token in found if token.type in {"link_open", "s_open"}]
    assert not {"\u202e", "\u2067", "\x1b", "\u2028"} & set(source)
    for file in markdown.pictures(hostile_report).values():
        assert "script" not in {element.tag for element in ET.fromstring(file).iter()}  # noqa: S314
