"""What `conform` found: an answer to each question, on each server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from results.conformance.questions import QUESTIONS, Check, Grade, Outcome


@dataclass(frozen=True, slots=True)
class Finding:
    """One cell: the answer to a question on one server.

    ``note`` says more of the answer in words that do not change from one measurement to the next, ``figures``
    in numbers as they are shown. ``evidence`` holds the numbers themselves, each with its unit in its name,
    ``options`` those with which the server ran.
    """

    question: str
    outcome: Outcome
    note: str = ""
    figures: str = ""
    evidence: Mapping[str, float | int | None] = field(default_factory=dict)
    options: Mapping[str, str | int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.outcome not in QUESTIONS[self.question].answers:
            raise ValueError(f"{self.outcome} is no answer to {self.question}")

    @property
    def grade(self) -> Grade:
        """What the answer means."""
        return QUESTIONS[self.question].answers[self.outcome]


@dataclass(frozen=True, slots=True)
class ServerFindings:
    """One server: its kind, its options (as given, with its defaults), its version; what was found.

    ``failures`` say of each check that could not be made why not.
    """

    label: str
    kind: str
    options: Mapping[str, str | int]
    version: str
    findings: Sequence[Finding]
    failures: Mapping[Check, str] = field(default_factory=dict)

    def finding(self, question: str) -> Finding | None:
        """The answer to one question; None where it was not asked, or could not be told."""
        return next((finding for finding in self.findings if finding.question == question), None)


@dataclass(frozen=True, slots=True)
class Missing:
    """A kind of server that is not installed, and the package to install."""

    kind: str
    distribution: str


@dataclass(frozen=True, slots=True)
class TeardownOrder:
    """What happened in a streamed Flask response, in this order.

    ``kept``: with ``stream_with_context``. ``hung_up``: the client left after the first piece.
    """

    kept: bool
    hung_up: bool
    events: Sequence[str]


@dataclass(frozen=True, slots=True)
class Conformance:
    """All that one `conform` found. ``environment`` is as a run's; ``flask``: empty where not asked."""

    measured_utc: str
    environment: Mapping[str, Any]
    checks: Sequence[Check]
    servers: Sequence[ServerFindings]
    missing: Sequence[Missing]
    flask: Sequence[TeardownOrder]
