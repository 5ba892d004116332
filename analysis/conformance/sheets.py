"""The tables of what `conform` found: one for all checks, one for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from results.conformance.findings import Conformance, Finding, ServerFindings, TeardownOrder
from results.conformance.questions import QUESTIONS, Check, Grade, Question

#: Stands before an answer that breaks a rule.
BROKEN_MARK = "✗"
NOT_TOLD = "?"
OVERVIEW_NOTE = (
    f"The answer is that of one column of each table below; {BROKEN_MARK} before it: it breaks a rule; "
    f"{BROKEN_MARK} behind it: another column of that table does."
)

TITLES: Mapping[Check, str] = MappingProxyType(
    {
        Check.FLUSH: "Each yield is sent at once",
        Check.FRAMING: "Where the body ends, and what becomes of the connection",
        Check.ERROR: "The generator raises: what the client sees",
        Check.HANG_UP: "The client hangs up: when the app learns of it",
        Check.HEAD: "HEAD, answered like a GET",
        Check.STALL: "A reader stands still in a stream of 64 MiB",
        Check.TIMEOUT: "A stream longer than the worker timeout",
        Check.WSGI: "What else of WSGI there is",
        Check.FLASK: "The order in which a streamed Flask response ends",
    }
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its title, its headings, its rows, each as long as the headings.

    ``note`` says how it is read, where that has to be said.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def sheets(found: Conformance) -> list[Sheet]:
    """The overview where there is more than one check, and a table for each check."""
    asked = [check for check in found.checks if check is not Check.FLASK]
    made = [overview(found.servers, asked)] if len(asked) > 1 and found.servers else []
    made += [sheet(found.servers, check) for check in asked if found.servers]
    return [*made, flask_sheet(found.flask)] if found.flask else made


def sheet(servers: Sequence[ServerFindings], check: Check) -> Sheet:
    """The table of one check."""
    questions = questions_of(check)
    return Sheet(
        TITLES[check],
        ["server", *(question.heading for question in questions)],
        [[server.label, *(cell(server.finding(item.name)) for item in questions)] for server in servers],
    )


def questions_of(check: Check) -> list[Question]:
    """The columns of a check."""
    return [question for question in QUESTIONS.values() if question.check is check]


def cell(finding: Finding | None) -> str:
    """An answer in words: the outcome, what is to say of it, its figures."""
    if finding is None:
        return NOT_TOLD
    words = answer(finding)
    if finding.note:
        words += f" ({finding.note})"
    return f"{words}, {finding.figures}" if finding.figures else words


def answer(finding: Finding | None) -> str:
    """The outcome alone, marked where it breaks a rule."""
    if finding is None:
        return NOT_TOLD
    mark = f"{BROKEN_MARK} " if finding.grade is Grade.BROKEN else ""
    return f"{mark}{finding.outcome}"


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that is broken, and by whom. ``where`` is the table and the column."""

    where: str
    outcome: str
    servers: Sequence[str]
    rule: str

    @property
    def sentence(self) -> str:
        """In words."""
        return f"{self.where}: {self.outcome} ({', '.join(self.servers)}). {self.rule}."


def breaches(servers: Sequence[ServerFindings]) -> list[Breach]:
    """All rules that are broken, in the order of the tables."""
    found: dict[tuple[str, str], list[str]] = {}
    for question in QUESTIONS.values():
        for server in servers:
            finding = server.finding(question.name)
            if finding is not None and finding.grade is Grade.BROKEN:
                found.setdefault((question.name, finding.outcome), []).append(server.label)
    return [
        Breach(f"{QUESTIONS[name].check}, {QUESTIONS[name].heading}", outcome, labels, QUESTIONS[name].rule)
        for (name, outcome), labels in found.items()
    ]


def conditions(found: Conformance) -> str:
    """When, on what and with which versions it was measured, and what else the machine did."""
    environment = found.environment
    versions = dict.fromkeys(f"{server.kind} {server.version}" for server in found.servers)
    programs = [*versions, f"Flask {environment['packages']['flask']}", f"Python {environment['python']}"]
    machine = (
        f"{environment['cpu_count']} cores of {environment['cpu']} under {environment['system']} "
        f"{environment['kernel']}"
    )
    return (
        f"Measured on {found.measured_utc[:10]} with {', '.join(programs)}, on {machine}, over loopback, by "
        f"{_ourselves(environment['git'])}. The load average of the minute before was "
        f"{environment['load_average'][0]:.2f}."
    )


def _ourselves(git: Mapping[str, Any] | None) -> str:
    if git is None:
        return "streamgauge"
    changed = " and changes that are not committed" if git["dirty"] else ""
    return f"streamgauge at {git['commit'][:12]}{changed}"


def overview(servers: Sequence[ServerFindings], checks: Sequence[Check]) -> Sheet:
    """One column of each check, and whether any other of it breaks a rule."""
    headlines = [item for item in QUESTIONS.values() if item.headline and item.check in checks]
    return Sheet(
        "At a glance",
        ["server", *(question.check for question in headlines)],
        [[server.label, *(_at_a_glance(server, item) for item in headlines)] for server in servers],
        OVERVIEW_NOTE,
    )


def _at_a_glance(server: ServerFindings, headline: Question) -> str:
    others = (server.finding(item.name) for item in questions_of(headline.check) if item != headline)
    broken = any(finding is not None and finding.grade is Grade.BROKEN for finding in others)
    return answer(server.finding(headline.name)) + (f" {BROKEN_MARK}" if broken else "")


def flask_sheet(orders: Sequence[TeardownOrder]) -> Sheet:
    """The table of `Check.FLASK`."""
    return Sheet(
        TITLES[Check.FLASK],
        ["stream_with_context", "the client", "order"],
        [
            [
                "with" if order.kept else "without",
                "hangs up" if order.hung_up else "reads all",
                "; ".join(order.events),
            ]
            for order in orders
        ],
    )
