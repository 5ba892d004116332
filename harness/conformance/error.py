"""What a client sees when the generator raises: an error, or a response that seems to be whole."""

from __future__ import annotations

from harness.conformance.framing import STUCK_AFTER_S
from harness.conformance.subject import Subject, Visit
from harness.conformance.wire import End, Framing, Response
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
        response = visit.read(STUCK_AFTER_S)
        _check_raised(visit)
    if response.head_ns is None:
        outcome = Outcome.WAITS if response.end is End.QUIET else Outcome.NO_ANSWER
    elif response.status >= 500:
        outcome = Outcome.ERROR_STATUS
    else:
        outcome = ending(response)
    note = "" if outcome is Outcome.ERROR_STATUS else how(response)
    return Finding("error.first", outcome, note=note, evidence={"status": response.status})


def _middle(question: str, visit: Visit) -> Finding:
    response = visit.read(STUCK_AFTER_S)
    _check_raised(visit)
    evidence = {"body_bytes": len(response.body), "handed_over_bytes": visit.account.handed_over_bytes}
    return Finding(question, ending(response), note=how(response), evidence=evidence)


def _check_raised(visit: Visit) -> None:
    if not visit.account.of(RAISED):
        raise MeasurementError("the server did not ask the app for the piece before which it raises")


def ending(response: Response) -> Outcome:
    """What a client makes of a response that is not whole: it can see so, or not, or waits."""
    if response.end is End.QUIET:
        return Outcome.WAITS
    return Outcome.SILENT if response.whole else Outcome.SEEN


def how(response: Response) -> str:
    """By what it sees it, or is misled."""
    if response.end is End.RESET:
        return "reset"
    if response.end is End.WHOLE and response.framing is Framing.CHUNKED:
        return "with a last chunk"
    if response.whole:
        return "closed"
    if response.end is End.CLOSED:
        return "no last chunk" if response.framing is Framing.CHUNKED else "bytes missing"
    return ""
