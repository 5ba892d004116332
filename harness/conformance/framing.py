"""What tells a client where the body ends, and whether the connection serves another request afterwards."""

from __future__ import annotations

from harness.conformance.connection import then
from harness.conformance.subject import Subject
from harness.conformance.wire import Framing, Response
from harness.conformance.wrong_length import BODY, BYTES, PIECES, fewer, more
from results.conformance.findings import Finding
from results.conformance.questions import Outcome
from results.errors import MeasurementError

_OUTCOMES = {
    Framing.CHUNKED: Outcome.CHUNKED,
    Framing.LENGTH: Outcome.LENGTH,
    Framing.CLOSE: Outcome.CLOSE,
}


def framing(subject: Subject) -> list[Finding]:
    """With and without a length, over HTTP/1.0, and with a length that is wrong. Raises MeasurementError."""
    return [
        *_framed(subject, "framing.unsized", -1),
        *_framed(subject, "framing.sized", len(BODY)),
        _old(subject),
        fewer(subject),
        more(subject),
    ]


def _framed(subject: Subject, question: str, length: int) -> list[Finding]:
    with subject.visit(pieces=PIECES, bytes=BYTES, length=length) as visit:
        response = visit.read()
        return [_found(question, response), then(f"{question}_then", visit)]


def _found(question: str, response: Response) -> Finding:
    if response.head_ns is None:
        raise MeasurementError("a stream that does not fail was not answered")
    if not response.whole or bytes(response.body) != BODY:
        return Finding(question, Outcome.SPOILT, evidence={"body_bytes": len(response.body)})
    if response.framing is Framing.CHUNKED and "content-length" in response.fields:
        return Finding(question, Outcome.BOTH)
    return Finding(question, _OUTCOMES[response.framing])


def _old(subject: Subject) -> Finding:
    """Not chunked. A client of HTTP/1.0 takes chunks for a part of the body."""
    with subject.visit(version="1.0", pieces=PIECES, bytes=BYTES) as visit:
        return _found("framing.old", visit.read())
