"""The step summary, read by a Markdown parser as GitHub would."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from analysis.exports.markdown import export
from analysis.exports.sections import escaped
from analysis.findings import Findings
from analysis.verdicts.fitness import Unfit
from tests.analysis.exports.examples import hostile, known, unlawful

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OUR_HTML = ("<details><summary>", "</details>")


def tokens(text: str) -> list[Token]:
    parsed = PARSER.parse(text)
    return parsed + [child for token in parsed for child in token.children or ()]


def shown(text: str) -> str:
    """What a reader sees."""
    return "".join(token.content for token in tokens(text) if token.type in {"text", "text_special"})


def test_verdicts_come_first_and_details_are_folded() -> None:
    text = export(known())
    lines = text.splitlines()
    assert lines[0] == "## orders: 1 worse, 1 not judged, 1 not worse of 3 gates"
    assert "❌ **worse**: 500: ttfb_p50 at most 1 ms: 2 ms against a limit of 1 ms" in lines[2]
    assert lines[3] == "- ➖ not judged: left: out: --only left its case out"
    assert "✅ not worse" in lines[4]
    assert "| orders rows=500 | ×0.25 **better** | – | ×0.8 **worse** | +3 MiB **worse** | ×1 same |" in lines
    assert text.index("×0.25 **better**") < text.index("<details>")
    assert text.count("<details>") == text.count("</details>") == 5
    assert "orders rows=1 | trial: 2 of 10 responses failed | 1 |" in text


def test_tables_are_tables() -> None:
    kinds = [token.type for token in PARSER.parse(export(known()))]
    assert kinds.count("table_open") == 6
    assert not any("|" in token.content for token in tokens(export(known())) if token.type == "inline")


def test_doubts_are_told_before_the_figures() -> None:
    findings = known()
    verdict = findings.cases[2].figures["throughput"].verdict
    assert verdict is not None
    doubtful = replace(
        findings,
        finished_utc=None,
        unfit=[Unfit("orders whole (again)", verdict)],
        cases=[replace(findings.cases[0], untrusted="broken"), *findings.cases[1:]],
    )
    before = export(doubtful).split("| case |")[0]
    for words in ("**not complete**", "**unfit machine**", "**do not rely on** orders whole: broken"):
        assert words in before
        assert words not in export(findings)


def test_a_verdict_that_may_be_chance_has_a_question_mark() -> None:
    findings = known()
    case = findings.cases[2]
    figures = {**case.figures, "throughput": replace(case.figures["throughput"], q=0.2)}
    doubtful = replace(findings, cases=[replace(case, figures=figures)])
    assert "×0.8 **worse?**" in export(doubtful)


def test_hostile_text_is_only_text() -> None:
    text = export(hostile())
    assert not unlawful(text)
    found = tokens(text)
    html = [token.content for token in found if token.type.startswith("html")]
    assert len(html) == 10
    assert all(content.startswith(OUR_HTML) for content in html)
    assert not [token for token in found if token.type in {"link_open", "image", "code_inline", "s_open"}]
    assert '<script>alert("x")</script>' in shown(text)
    for sign in ("@somebody", " #1", ":smile:", "$x$", "www.evil", "http://"):
        assert sign not in text
    rows = [token for token in PARSER.parse(text) if token.type == "tr_open"]
    assert len(rows) == len([line for line in text.splitlines() if line.startswith("| ")]) - 6


@given(st.text(min_size=1))
def test_any_text_in_a_cell_is_one_cell_of_text(text: str) -> None:
    parsed = tokens(f"| a | b |\n| --- | --- |\n| {escaped(text)} | end |")
    assert [token.content for token in parsed if token.type == "inline"][3] == "end"
    assert {token.type for token in parsed if not token.type.startswith(("t", "inline"))} == set()


@pytest.mark.parametrize("copies", [1, 400])
def test_a_summary_is_under_a_mebibyte_whatever_the_run(copies: int) -> None:
    findings: Findings = hostile()
    text = export(replace(findings, cases=[*findings.cases] * copies, gates=[*findings.gates] * copies))
    assert len(text.encode()) < 2**20
    assert text.count("<details>") == text.count("</details>")
    assert ("**Cut short:**" in text) == (copies > 1)
    assert "**worse**" in text
