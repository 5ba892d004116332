"""The page of a report: whole, self-contained, and inert whatever a run holds."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from html.parser import HTMLParser

import pytest

from analysis.report.content import Report
from analysis.report.page import html
from tests.analysis.report.hostile import LONG, MARKUP

VOID = {"meta", "link", "input", "img", "br"}


class Page(HTMLParser):
    """A page's elements, each with its attributes and its own text; raises where a tag is left open."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self._open: list[tuple[str, list[str]]] = []
        self.feed(page)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        words: list[str] = []
        self.elements.append((tag, {key: value or "" for key, value in attrs}, words))
        if tag not in VOID:
            self._open.append((tag, words))

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}, []))

    def handle_endtag(self, tag: str) -> None:
        opened, _ = self._open.pop()
        assert opened == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self._open[-1][1].append(data)

    def of(self, tag: str) -> list[tuple[dict[str, str], str]]:
        return [(attributes, "".join(words)) for name, attributes, words in self.elements if name == tag]


@pytest.fixture(scope="module")
def known(known_report: Report) -> str:
    return html(known_report)


@pytest.fixture(scope="module")
def hostile(hostile_report: Report) -> str:
    return html(hostile_report)


def test_its_policy_allows_its_own_style_and_script_and_nothing_else(known: str) -> None:
    page = Page(known)
    ((_, style),) = page.of("style")
    ((_, script),) = page.of("script")
    (policy,) = [
        attributes["content"]
        for attributes, _ in page.of("meta")
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in (style, script)
    ]
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src {hashes[0]}",
        f"script-src {hashes[1]}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_it_needs_nothing_from_elsewhere(known: str) -> None:
    page = Page(known)
    for tag, attributes, _ in page.elements:
        for key in ("src", "href", "action", "data", "poster", "srcset"):
            assert attributes.get(key, "#").startswith(("#", "data:")), (tag, attributes)
        assert "style" not in attributes
        assert not [key for key in attributes if key.startswith("on")]
    assert not re.findall(r"url\((?!#)|@import", known)


def test_every_link_has_its_place_and_every_identifier_is_one(known: str, hostile: str) -> None:
    for text in (known, hostile):
        page = Page(text)
        identifiers = [attributes["id"] for _, attributes, _ in page.elements if "id" in attributes]
        assert len(set(identifiers)) == len(identifiers)
        targets = {attributes["href"][1:] for attributes, _ in page.of("a")}
        targets |= {attributes["href"][1:] for attributes, _ in page.of("use")}
        for _, attributes, _ in page.elements:
            targets |= set(attributes.get("aria-labelledby", "").split())
        assert targets <= set(identifiers)


def test_it_can_be_read_without_seeing_it(known: str) -> None:
    page = Page(known)
    assert [attributes["lang"] for attributes, _ in page.of("html")] == ["en"]
    assert len(page.of("main")) == len(page.of("h1")) == 1
    assert all(attributes["aria-labelledby"] for attributes, _ in page.of("section"))
    assert len(page.of("svg")) == len(page.of("desc")) == len(page.of("figcaption")) == 5
    assert all(attributes["role"] == "img" for attributes, _ in page.of("svg"))
    assert len(page.of("table")) == len(page.of("caption"))
    assert all(attributes["scope"] in {"col", "row"} for attributes, _ in page.of("th"))


def test_the_answer_stands_before_doubts_evidence_figures_and_method(known: str) -> None:
    ids = [attributes["id"] for attributes, _ in Page(known).of("section")]
    assert ids == ["answer", "doubts", "evidence", "table", "failures", "method"]
    assert "40 valid trials in 8 blocks, 2031-02-03 04:05 UTC" in known
    assert "Nothing: the run is complete" not in known  # the made-up run was not calibrated
    assert "The client&#39;s own error was not measured" in known
    assert "streamgauge run orders.toml --seed 2147483647" in known


def test_text_of_a_hostile_app_stays_text(hostile: str) -> None:
    page = Page(hostile)
    assert len(page.of("script")) == 1
    assert not page.of("img")
    assert "taken" not in page.of("script")[0][1]
    ((_, heading),) = [item for item in page.of("bdi") if item[1] == MARKUP][:1]
    assert heading == MARKUP
    assert "\u202e" not in hostile
    assert "\u2067" not in hostile
    assert "\\u202e" in hostile
    assert "עברית" in hostile
    assert LONG not in hostile
    assert len(hostile) < 1_000_000
