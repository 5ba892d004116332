"""The tables of a `conform` say what was found, mark what breaks a rule, and hide nothing."""

from __future__ import annotations

import pytest

from analysis.conformance.markdown import markdown, table
from analysis.conformance.sheets import NOT_TOLD, breaches, cell, overview, sheet, sheets
from results.conformance.document import from_document, to_document
from results.conformance.findings import Conformance, Finding, Missing, ServerFindings, TeardownOrder
from results.conformance.questions import QUESTIONS, Check, Grade, Outcome
from results.errors import StoreError

ENVIRONMENT = {
    "packages": {"flask": "3.1.3"},
    "python": "3.11.7",
    "cpu_count": 2,
    "cpu": "A CPU",
    "system": "Linux",
    "kernel": "6.1",
}
GOOD = Finding("head.body", Outcome.NONE)
BAD = Finding("head.body", Outcome.SENT, evidence={"body_bytes": 7})
CUT = Finding("timeout.stream", Outcome.CUT_OFF, "no last chunk", "after 1.0 s", {"lasted_s": 1.0})


def server(label: str, *findings: Finding, **failures: str) -> ServerFindings:
    told = {Check[name]: reason for name, reason in failures.items()}
    return ServerFindings(label, label, {"threads": 4}, "1.0", findings, told)


def conformance(*servers: ServerFindings) -> Conformance:
    orders = [TeardownOrder(True, False, ["yield 1", "teardown_request"])]
    checks = [Check.HEAD, Check.TIMEOUT, Check.FLASK]
    return Conformance("2026-01-02T03:04:05+00:00", ENVIRONMENT, checks, servers, [Missing("x", "y")], orders)


def test_a_cell_has_the_answer_its_note_its_figures_and_its_mark() -> None:
    assert cell(GOOD) == "none"
    assert cell(BAD) == "✗ sent"
    assert cell(CUT) == "cut off (no last chunk), after 1.0 s"
    assert cell(None) == NOT_TOLD


def test_a_table_has_a_column_for_each_question_and_a_row_for_each_server() -> None:
    made = sheet([server("a", GOOD), server("b", BAD, TIMEOUT="no")], Check.HEAD)
    assert made.headings == ["server", "body", "generator", "close()", "then"]
    assert made.rows == [["a", "none", "?", "?", "?"], ["b", "✗ sent", "?", "?", "?"]]
    glance = overview([server("a", GOOD, CUT)], [Check.HEAD, Check.TIMEOUT])
    assert (glance.headings, glance.rows) == (["server", "head", "timeout"], [["a", "none", "cut off"]])


def test_each_check_has_one_headline_and_every_question_an_answer_that_breaks_nothing() -> None:
    for check in set(Check) - {Check.FLASK, Check.WSGI}:
        assert sum(item.headline for item in QUESTIONS.values() if item.check is check) == 1
    for question in QUESTIONS.values():
        assert Grade.GOOD in question.answers.values()
        broken = Grade.BROKEN in question.answers.values()
        assert not (broken and question.rule.startswith("no rule")), "what is broken has to be a rule"


def test_a_rule_that_several_break_is_told_once() -> None:
    (one,) = breaches([server("a", BAD), server("b", GOOD), server("c", BAD)])
    assert one.sentence == "head, body: sent (a, c). RFC 9110, 9.3.2: a HEAD has none."
    assert breaches([server("a", GOOD, CUT)]) == []


def test_markdown_says_all_of_it_and_keeps_markup_out() -> None:
    text = markdown(conformance(server("a|b", BAD, CUT), server("c", TIMEOUT="it <died>\nlines")))
    assert "| a\\|b | ✗ sent | ? | ? | ? |" in text
    assert "c, timeout: could not be told: it \\<died>" in text
    assert "x is not installed: `pip install y`." in text
    assert "with a|b 1.0, c 1.0, Flask 3.1.3, Python 3.11.7, on 2 cores of A CPU under Linux 6.1" in text
    assert "| with | reads all | yield 1; teardown_request |" in text
    for made in sheets(conformance(server("a", GOOD))):
        widths = {line.count(" | ") for line in table(made).splitlines()}
        assert widths == {len(made.headings) - 1}


def test_a_document_is_the_same_when_it_comes_back() -> None:
    found = conformance(server("a", BAD, CUT), server("b", HEAD="not told"))
    document = to_document(found)
    assert document["servers"][0]["findings"][0]["grade"] == "broken"
    back = from_document(document)
    assert to_document(back) == document
    assert back.servers[1].failures == {Check.HEAD: "not told"}
    with pytest.raises(StoreError, match="make it anew"):
        from_document({"format": "other"})


def test_an_answer_that_a_question_cannot_have_is_refused() -> None:
    with pytest.raises(ValueError, match="no answer to head"):
        Finding("head.body", Outcome.CHUNKED)
