"""What else of WSGI an app that streams may lean on."""

from __future__ import annotations

from harness.conformance.flush import GAP_MS, PIECES, judged
from harness.conformance.subject import Subject
from harness.conformance.wire import Framing
from results.conformance.findings import Finding
from results.conformance.questions import Outcome
from results.errors import MeasurementError
from targets.witness import CLOSED, LATE_STATUS, YIELDED

_BYTES = 100
_CLOSE_PATIENCE_S = 1.0
_ATTEMPTS = 3
_OUTCOMES = {
    Framing.CHUNKED: Outcome.CHUNKED,
    Framing.LENGTH: Outcome.LENGTH,
    Framing.CLOSE: Outcome.CLOSE,
}


def wsgi(subject: Subject) -> list[Finding]:
    """What is not asked elsewhere. Raises MeasurementError."""
    return [_written(subject), _late(subject), _one(subject), _file_wrapper(subject), _closed(subject)]


def _written(subject: Subject) -> Finding:
    """As `flush`, of pieces that are given to the callable that ``start_response`` returns."""
    found = _written_once(subject)
    for _ in range(_ATTEMPTS - 1):
        if found.outcome in {Outcome.AT_ONCE, Outcome.MISSING}:
            break
        again = _written_once(subject)
        found = max(found, again, key=lambda item: item.evidence["early_pieces"] or 0)
    return found


def _written_once(subject: Subject) -> Finding:
    with subject.visit("/written", pieces=PIECES, bytes=_BYTES, gap_ms=GAP_MS) as visit:
        response = visit.read()
        account = visit.await_event(YIELDED)
    if len(response.body) == PIECES * _BYTES and response.whole:
        return judged("wsgi.write", response, account, _BYTES)[1]
    if len(account.yields) != 1 or response.body.count(b"a") == _BYTES:
        raise MeasurementError(f"of what was written {len(response.body)} bytes arrived")
    return Finding("wsgi.write", Outcome.MISSING, evidence={"status": response.status})


def _late(subject: Subject) -> Finding:
    """A generator function as the app: it calls ``start_response`` when it is first asked for a piece."""
    with subject.visit("/late") as visit:
        status = visit.read().status
    outcome = Outcome.SEEN if status == LATE_STATUS else Outcome.MISSING
    return Finding("wsgi.late", outcome, evidence={"status": status})


def _one(subject: Subject) -> Finding:
    with subject.visit("/one", bytes=_BYTES) as visit:
        response = visit.read()
    if not response.whole or len(response.body) != _BYTES:
        raise MeasurementError(f"of a list of one element {len(response.body)} bytes arrived")
    return Finding("wsgi.one", _OUTCOMES[response.framing])


def _file_wrapper(subject: Subject) -> Finding:
    with subject.visit("/environ") as visit:
        response = visit.read()
    if bytes(response.body) not in {b"0", b"1"}:
        raise MeasurementError("the app could not say what its environment holds")
    return Finding("wsgi.file_wrapper", Outcome.THERE if response.body == b"1" else Outcome.MISSING)


def _closed(subject: Subject) -> Finding:
    with subject.visit(pieces=2) as visit:
        visit.read()
        account = visit.await_event(CLOSED, _CLOSE_PATIENCE_S)
    return Finding("wsgi.close", Outcome.NOT_CALLED if account.closed_ns is None else Outcome.CALLED)
