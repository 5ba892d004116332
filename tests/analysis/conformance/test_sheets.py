"""The tables of a `conform` say what was found, mark what breaks a rule, and hide nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.conformance.markdown import markdown, table
from analysis.conformance.sheets import (
    NOT_TOLD,
    OVERVIEW_NOTE,
    breaches,
    cell,
    conditions,
    overview,
    sheet,
    sheets,
)
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
    "load_average": [0.456, 1.0, 2.0],
    "git": {"commit": "0123456789abcdef", "dirty": True},
}
GOOD = Finding("head.body", Outcome.NONE)
BAD = Finding("head.body", Outcome.SENT, evidence={"body_bytes": 7})
CUT = Finding(
    "timeout.stream", Outcome.CUT_OFF, "no last chunk", "after 1.0 s", {"lasted_s": 1.0}, {"timeout_s": 1}
)
SPOILT = Finding("head.then", Outcome.SPOILT)


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


def test_at_a_glance_no_broken_rule_of_a_check_is_hidden() -> None:
    """Before the answer: it is this one; behind it: it is another of its table."""
    servers = [server("a", GOOD), server("b", BAD), server("c", GOOD, SPOILT), server("d", SPOILT, BAD)]
    glance = overview([*servers, server("e", SPOILT, HEAD="died")], [Check.HEAD])
    assert [row[1] for row in glance.rows] == ["none", "✗ sent", "none ✗", "✗ sent ✗", "? ✗"]
    assert glance.note == OVERVIEW_NOTE
    assert OVERVIEW_NOTE in markdown(conformance(*servers))


def test_the_conditions_tell_of_what_may_have_spoilt_them() -> None:
    told = conditions(conformance(server("a", GOOD)))
    assert "by streamgauge at 0123456789ab and changes that are not committed." in told
    assert told.endswith("The load average of the minute before was 0.46.")
    clean = {**ENVIRONMENT, "git": {"commit": "0123456789abcdef", "dirty": False}}
    assert "at 0123456789ab. The" in conditions(replace(conformance(), environment=clean))
    assert "by streamgauge. The" in conditions(
        replace(conformance(), environment=ENVIRONMENT | {"git": None})
    )


def test_each_check_has_one_headline_and_every_question_an_answer_that_breaks_nothing() -> None:
    for check in set(Check) - {Check.FLASK}:
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
    assert "x is not installed (its package: y)." in text
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
    assert back.servers[0].findings[1].options == {"timeout_s": 1}
    assert back.servers[1].failures == {Check.HEAD: "not told"}
    with pytest.raises(StoreError, match="make it anew"):
        from_document({"format": "other"})


def test_an_answer_that_a_question_cannot_have_is_refused() -> None:
    with pytest.raises(ValueError, match="no answer to head"):
        Finding("head.body", Outcome.CHUNKED)
