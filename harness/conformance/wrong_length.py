"""An app that promises a Content-Length and yields something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.conformance.connection import then
from harness.conformance.ending import Ending, ending_of
from harness.conformance.subject import Subject
from results.conformance.findings import Finding
from results.conformance.questions import Outcome
from targets.witness import piece_of

PIECES, BYTES = 3, 100
BODY = b"".join(piece_of(number, BYTES) for number in range(PIECES))
"""What the app yields."""

#: By how many bytes a promised length is wrong.
_WRONG_BY = 50
#: A server whose threads race over the end of such a response does now this, now that.
_ASKED = 20
#: Where they are not alike: the worst decides.
_WORST_FIRST = (
    Outcome.WAITS,
    Outcome.SPOILT,
    Outcome.SILENT,
    Outcome.LATE,
    Outcome.NO_ANSWER,
    Outcome.SEEN,
    Outcome.ERROR_STATUS,
)


def fewer(subject: Subject) -> Finding:
    """What a client sees of a response that is shorter than its Content-Length. Raises MeasurementError.

    Asked several times, until one lets the client wait: that is the answer then, and takes long enough.
    """
    seen: list[_Seen] = []
    while len(seen) < _ASKED and not (seen and seen[-1].late_s is not None):
        seen.append(_short(subject))
    outcomes = {item.outcome for item in seen}
    outcome = next(item for item in _WORST_FIRST if item in outcomes)
    if outcomes == {Outcome.SEEN, Outcome.NO_ANSWER}:
        outcome = Outcome.MIXED
    unanswered = sum(item.outcome is Outcome.NO_ANSWER for item in seen)
    came = [item.body_bytes for item in seen if item.outcome is not Outcome.NO_ANSWER]
    return Finding(
        "framing.fewer",
        outcome,
        figures=_figures(outcome, seen, unanswered, came),
        evidence={
            "asked": len(seen),
            "unanswered": unanswered,
            "least_body_bytes": min(came, default=None),
            "most_body_bytes": max(came, default=None),
            "late_s": seen[-1].late_s,
        },
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """One of the responses."""

    outcome: Outcome
    body_bytes: int
    late_s: float | None
    figures: str


def _short(subject: Subject) -> _Seen:
    with subject.visit(pieces=PIECES, bytes=BYTES, length=len(BODY) + _WRONG_BY) as visit:
        ending = ending_of(visit)
    response = visit.response
    body = bytes(response.body)
    outcome = ending.outcome
    if outcome is not Outcome.WAITS and response.head_ns is None:
        outcome = Outcome.NO_ANSWER
    elif response.status >= 500:
        outcome = Outcome.ERROR_STATUS
    elif not BODY.startswith(body):
        outcome = Outcome.SPOILT
    elif outcome is Outcome.SEEN and ending.late_s is not None:
        outcome = Outcome.LATE
    return _Seen(outcome, len(body), ending.late_s, ending.figures)


def _figures(outcome: Outcome, seen: Sequence[_Seen], unanswered: int, came: Sequence[int]) -> str:
    """How long it took, how many got nothing, and whether bytes that were yielded are missing too."""
    told = [seen[-1].figures] if seen[-1].figures else []
    if unanswered and outcome is not Outcome.NO_ANSWER:
        told.append(f"{unanswered} of {len(seen)} not answered")
    if came and min(came) < len(BODY) and outcome in {Outcome.SEEN, Outcome.LATE, Outcome.MIXED}:
        least, most = min(came), max(came)
        told.append(f"{least if least == most else f'{least} to {most}'} B of {len(BODY)} yielded")
    return ", ".join(told)


def more(subject: Subject) -> Finding:
    """What becomes of bytes beyond the Content-Length. Raises MeasurementError."""
    promised = len(BODY) - _WRONG_BY
    with subject.visit(pieces=PIECES, bytes=BYTES, length=promised) as visit:
        ending = ending_of(visit)
        outcome = _of_more(ending, visit.response.status, bytes(visit.response.body), promised)
        if outcome is Outcome.LEFT_OUT:
            # whole, as far as it goes: what comes behind it decides
            spoilt = then("framing.sized_then", visit).outcome is Outcome.SPOILT
            if visit.response.surplus:
                outcome = Outcome.SENT
            if spoilt:
                outcome = Outcome.SPOILT
    response = visit.response
    evidence = {"body_bytes": len(response.body), "surplus_bytes": len(response.surplus)}
    return Finding("framing.more", outcome, figures=ending.figures, evidence=evidence)


def _of_more(ending: Ending, status: int, body: bytes, promised: int) -> Outcome:
    if status >= 500:
        return Outcome.ERROR_STATUS
    if ending.outcome is Outcome.WAITS:
        return Outcome.WAITS
    if not BODY.startswith(body):
        return Outcome.SPOILT
    if ending.outcome is Outcome.SEEN:
        return Outcome.CUT_OFF  # it noticed when it was too late, and broke off before the promised length
    return Outcome.SENT if len(body) > promised else Outcome.LEFT_OUT
