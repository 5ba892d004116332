"""What becomes of a HEAD whose app answers as it answers a GET."""

from __future__ import annotations

from harness.conformance.connection import then
from harness.conformance.hang_up import yields_in_words
from harness.conformance.subject import Subject, Visit
from results.conformance.findings import Finding
from results.conformance.questions import Outcome
from results.errors import MeasurementError
from targets.witness import CLOSED, ENDED

_PIECES, _BYTES, _GAP_MS = 5, 100, 20
_CLOSE_PATIENCE_S = 1.0


def head(subject: Subject) -> list[Finding]:
    """Its body, the app's generator, ``close()``; the connection of one whose response has a length.

    Raises MeasurementError.
    """
    with subject.visit(method="HEAD", pieces=_PIECES, bytes=_BYTES, gap_ms=_GAP_MS) as visit:
        _answered(visit)
        account = visit.await_event(CLOSED, _CLOSE_PATIENCE_S)
        then("head.then", visit)  # waits for what may still come
        sent = len(visit.response.surplus)
    with subject.visit(method="HEAD", pieces=_PIECES, bytes=_BYTES, length=_PIECES * _BYTES) as visit:
        _answered(visit)
        visit.await_event(CLOSED, _CLOSE_PATIENCE_S)
        connection = then("head.then", visit)
        sent += len(visit.response.surplus)
    yields = len(account.yields)
    run = Outcome.STOPPED if yields else Outcome.NOT_RUN
    if account.of(ENDED):
        run = Outcome.RUN
    return [
        Finding("head.body", Outcome.SENT if sent else Outcome.NONE, evidence={"body_bytes": sent}),
        Finding("head.generator", run, figures=yields_in_words(yields), evidence={"yields": yields}),
        Finding("head.close", Outcome.NOT_CALLED if account.closed_ns is None else Outcome.CALLED),
        connection,
    ]


def _answered(visit: Visit) -> None:
    if visit.read().head_ns is None:
        raise MeasurementError("a HEAD was not answered")
