"""A report as Markdown: what the page says, its pictures beside it, and nothing that takes effect."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from analysis.report import markdown
from analysis.report.content import Report
from analysis.report.definitions import LIMITS
from tests.analysis.report.hostile import make_hostile_run
from tests.analysis.report.reading import pictures, reported, text
from tests.known_run import make_known_run

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return reported(make_known_run(tmp_path_factory.mktemp("known") / "run.sqlite"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return reported(make_hostile_run(tmp_path_factory.mktemp("hostile") / "run.sqlite"))


def tokens(source: str) -> list[Token]:
    parsed = PARSER.parse(source)
    return [part for token in parsed for part in (token, *(token.children or []))]


def words(source: str) -> str:
    """What is left to read when it is shown."""
    return "".join(token.content for token in tokens(source) if token.type in {"text", "text_special"})


def test_it_says_what_the_page_says(known: Report) -> None:
    shown = words(markdown.markdown(known, "pictures"))
    for answer in known.answers:
        for sentence in (answer.headline, *answer.figures, answer.buffer or [], *answer.others):
            assert text(sentence) in shown
    for doubt in known.doubts:
        assert text(doubt) in shown
    for row in known.rows:
        for cell in (row.case, row.figure, row.value, row.effect, row.interval, row.verdict):
            assert cell in shown
    assert all(what in shown and value in shown for what, value in known.facts)
    assert all(limit in shown for limit in LIMITS)
    assert known.command in markdown.markdown(known, "pictures")


def test_each_picture_is_a_file_beside_it(known: Report) -> None:
    sources = [
        token.attrs["src"] for token in tokens(markdown.markdown(known, "a b")) if token.type == "image"
    ]
    files = markdown.pictures(known)
    assert sources == [f"a%20b/{name}" for name in files]
    assert set(files) == {f"{name}.svg" for name in pictures(known)}
    for file in files.values():
        assert ET.fromstring(file).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314  - ours


def test_tables_have_all_rows(known: Report) -> None:
    rows = [token for token in tokens(markdown.markdown(known, "x")) if token.type == "tr_open"]
    tables = [known.cases, known.failures, *known.tables]
    bodies = len(known.rows) + sum(len(table.rows) for table in tables)
    definitions_and_heads = len(rows) - bodies
    assert definitions_and_heads > sum(bool(table.rows) for table in tables)


def test_text_of_a_hostile_app_takes_no_effect(hostile: Report) -> None:
    source = markdown.markdown(hostile, "x")
    found = tokens(source)
    assert {token.content.strip() for token in found if token.type.startswith("html")} <= {
        "</details>",
        "</summary>",
        "<summary>",
        *(token.content.strip() for token in found if token.content.startswith("<details><summary>")),
    }
    assert {token.attrs["src"] for token in found if token.type == "image"} == {
        f"x/{name}" for name in markdown.pictures(hostile)
    }
    assert not [token for token in found if token.type in {"link_open", "s_open"}]
    assert not {"\u202e", "\u2067", "\x1b", "\u2028"} & set(source)
    for file in markdown.pictures(hostile).values():
        assert "script" not in {element.tag for element in ET.fromstring(file).iter()}  # noqa: S314
