"""What a client sees when the generator raises: an error, or a response that seems to be whole."""

from __future__ import annotations

from harness.conformance.ending import ending_of
from harness.conformance.subject import Subject, Visit
from results.conformance.findings import Finding
from results.conformance.questions import Outcome
from results.errors import MeasurementError
from targets.witness import CLOSED, RAISED

_PIECES, _BYTES, _GAP_MS = 6, 100, 20
_RAISE_AT = 3
#: close() is called when the error is through; its record may come a little later than the client's view.
_CLOSE_PATIENCE_S = 1.0


def error(subject: Subject) -> list[Finding]:
    """Before the first yield, and in the middle, in three framings. Raises MeasurementError."""
    with subject.visit(raise_at=_RAISE_AT, pieces=_PIECES, bytes=_BYTES, gap_ms=_GAP_MS) as visit:
        middle = _middle("error.middle", visit)
        closed = bool(visit.await_event(CLOSED, _CLOSE_PATIENCE_S).closed_ns)
    with subject.visit(
        raise_at=_RAISE_AT, pieces=_PIECES, bytes=_BYTES, gap_ms=_GAP_MS, length=_PIECES * _BYTES
    ) as visit:
        sized = _middle("error.sized", visit)
    with subject.visit(
        version="1.0", raise_at=_RAISE_AT, pieces=_PIECES, bytes=_BYTES, gap_ms=_GAP_MS
    ) as visit:
        old = _middle("error.old", visit)
    close = Finding("error.close", Outcome.CALLED if closed else Outcome.NOT_CALLED)
    return [_first(subject), middle, sized, old, close]


def _first(subject: Subject) -> Finding:
    with subject.visit(raise_at=0) as visit:
        ending = ending_of(visit)
        _check_raised(visit)
    response = visit.response
    outcome, note = ending.outcome, ending.note
    if response.status >= 500:
        outcome, note = Outcome.ERROR_STATUS, ""
    elif response.head_ns is None and outcome is not Outcome.WAITS:
        outcome, note = Outcome.NO_ANSWER, "reset" if note == "reset" else ""
    evidence = {"status": response.status, "late_s": ending.late_s}
    return Finding("error.first", outcome, note=note, figures=ending.figures, evidence=evidence)


def _middle(question: str, visit: Visit) -> Finding:
    ending = ending_of(visit)
    _check_raised(visit)
    evidence = {
        "body_bytes": len(visit.response.body),
        "handed_over_bytes": visit.account.handed_over_bytes,
        "late_s": ending.late_s,
    }
    return Finding(question, ending.outcome, note=ending.note, figures=ending.figures, evidence=evidence)


def _check_raised(visit: Visit) -> None:
    if not visit.account.of(RAISED):
        raise MeasurementError("the server did not ask the app for the piece before which it raises")
