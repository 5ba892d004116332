"""docs/servers.md shows the kept `conform`, and says what its columns mean."""

from __future__ import annotations

from harness.conformance.chosen import named
from results.conformance.questions import QUESTIONS, Check, Outcome
from targets.servers import KINDS
from tests.servers_page import KEPT_COMMAND, PAGE, SERVERS, kept, rewritten


def test_tables_are_those_of_the_kept_conform() -> None:
    text = PAGE.read_text("utf-8")
    assert rewritten(text, kept()) == text, (
        f"run: python -m tests.servers_page; to measure anew: {KEPT_COMMAND}"
    )


def test_the_kept_conform_holds_all_servers_and_all_answers() -> None:
    found = kept()
    assert [server.label for server in found.servers] == [item.label for item in named(SERVERS)]
    assert {server.kind for server in found.servers} == KINDS.keys()
    assert found.checks == list(Check)
    for server in found.servers:
        assert [finding.question for finding in server.findings] == list(QUESTIONS)
        assert not server.failures
    assert len(found.flask) == 4


def test_what_the_prose_says_of_single_servers_is_what_was_found() -> None:
    servers = [server for server in kept().servers if "=" not in server.label]

    def those(question: str, *outcomes: Outcome) -> set[str]:
        found = [(server.kind, server.finding(question)) for server in servers]
        return {kind for kind, finding in found if finding is not None and finding.outcome in outcomes}

    assert those("error.middle", Outcome.SILENT) == {"granian", "uwsgi"}, "README.md says so too"
    assert those("flush.small", Outcome.AT_ONCE) == KINDS.keys()
    assert those("hang-up.asleep", Outcome.AT_A_YIELD) == KINDS.keys(), "none wakes a generator"
    assert those("stall.rest", Outcome.SILENT) == {"uwsgi"}
    assert those("stall.rest", Outcome.CUT_OFF) == {"cheroot"}
    assert those("framing.unsized", Outcome.CLOSE) == {"uwsgi"}
    sized = next(server for server in kept().servers if server.label == "waitress/send_bytes=18000")
    small = sized.finding("flush.small")
    assert small is not None
    assert small.outcome is Outcome.HELD
    lasted = {server.label: server.finding("timeout.stream") for server in servers}
    cut = {label for label, finding in lasted.items() if finding and finding.outcome is Outcome.CUT_OFF}
    assert cut == {"gunicorn/sync"}
    for order in kept().flask:
        first = "yield 1" if order.kept else "yield 1, no request"
        assert order.events.index("teardown_appcontext") < order.events.index(first)
        assert order.events.count("teardown_appcontext") == (2 if order.kept else 1)
        assert order.events[-1] == "call_on_close"
        assert order.events.count("call_on_close") == 1


def test_every_heading_and_every_answer_that_was_given_is_explained() -> None:
    words = PAGE.read_text("utf-8").partition("## At a glance")[2]
    prose = "\n".join(line for line in words.splitlines() if not line.startswith(("|", "- ✗", "<!--")))
    for question in QUESTIONS.values():
        if question.name not in {"flush.small", "flush.large"}:  # a size says itself what it is
            assert question.heading in prose, question.name
    given = {finding.outcome for server in kept().servers for finding in server.findings}
    plain = {Outcome.CALLED, Outcome.LENGTH, Outcome.THERE, Outcome.MISSING, Outcome.WHOLE, Outcome.PARTLY}
    for outcome in given - plain:
        assert outcome in prose, outcome
