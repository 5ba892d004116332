"""What tells a client where the body ends, and whether the connection serves another request afterwards."""

from __future__ import annotations

from harness.conformance.subject import PATIENCE_S, Subject, Visit
from harness.conformance.wire import End, Framing, Response
from results.conformance.findings import Finding
from results.conformance.questions import Outcome
from results.errors import MeasurementError
from targets.witness import piece_of

_PIECES, _BYTES = 3, 100
_BODY = b"".join(piece_of(number, _BYTES) for number in range(_PIECES))
#: By how many bytes a promised length is wrong.
_WRONG_BY = 50
#: What is still to come of a response that has ended comes within this.
_SURPLUS_PATIENCE_S = 0.3
#: A client that still waits after this is waiting for what will not come.
STUCK_AFTER_S = 1.0
_OUTCOMES = {
    Framing.CHUNKED: Outcome.CHUNKED,
    Framing.LENGTH: Outcome.LENGTH,
    Framing.CLOSE: Outcome.CLOSE,
}


def framing(subject: Subject) -> list[Finding]:
    """With and without a length, over HTTP/1.0, and with a length that is wrong. Raises MeasurementError."""
    return [
        *_framed(subject, "framing.unsized", -1),
        *_framed(subject, "framing.sized", len(_BODY)),
        _old(subject),
        _fewer(subject),
        _more(subject),
    ]


def then(question: str, visit: Visit) -> Finding:
    """Whether the connection of a response that is through serves another request.

    What comes behind the end of the response is taken for the next one, unless the connection is closed.
    """
    visit.asker.read(visit.response, patience_s=_SURPLUS_PATIENCE_S, until=_closed)
    surplus = {"surplus_bytes": len(visit.response.surplus)}
    if visit.response.end is not End.WHOLE or visit.response.connection is not None:
        return Finding(question, Outcome.CLOSED, evidence=surplus)
    if visit.response.surplus:
        return Finding(question, Outcome.SPOILT, evidence=surplus)
    answer = visit.asker.read(visit.asker.send("/"), patience_s=PATIENCE_S)
    if answer.end is End.RESET or (answer.end is End.CLOSED and answer.head_ns is None):
        return Finding(question, Outcome.CLOSED)
    right = answer.whole and bytes(answer.body) == b"ok"
    return Finding(question, Outcome.KEPT if right else Outcome.SPOILT)


def _closed(response: Response) -> bool:
    return response.connection is not None


def _framed(subject: Subject, question: str, length: int) -> list[Finding]:
    with subject.visit(pieces=_PIECES, bytes=_BYTES, length=length) as visit:
        response = visit.read()
        return [_found(question, response), then(f"{question}_then", visit)]


def _found(question: str, response: Response) -> Finding:
    if response.head_ns is None:
        raise MeasurementError("a stream that does not fail was not answered")
    right = response.whole and bytes(response.body) == _BODY
    return Finding(question, _OUTCOMES[response.framing] if right else Outcome.SPOILT)


def _old(subject: Subject) -> Finding:
    """Not chunked. A client of HTTP/1.0 takes chunks for a part of the body."""
    with subject.visit(version="1.0", pieces=_PIECES, bytes=_BYTES) as visit:
        return _found("framing.old", visit.read())


def _fewer(subject: Subject) -> Finding:
    """What a client sees of a response that is shorter than its Content-Length."""
    with subject.visit(pieces=_PIECES, bytes=_BYTES, length=len(_BODY) + _WRONG_BY) as visit:
        response = visit.read(STUCK_AFTER_S)
    if response.status >= 500:
        outcome = Outcome.ERROR_STATUS
    elif response.end is End.QUIET:
        outcome = Outcome.WAITS
    else:
        outcome = Outcome.SPOILT if response.whole else Outcome.SEEN
    return Finding("framing.fewer", outcome, evidence={"body_bytes": len(response.body)})


def _more(subject: Subject) -> Finding:
    """What becomes of bytes beyond the Content-Length."""
    promised = len(_BODY) - _WRONG_BY
    with subject.visit(pieces=_PIECES, bytes=_BYTES, length=promised) as visit:
        response = visit.read(STUCK_AFTER_S)
        if response.status >= 500:
            return Finding("framing.more", Outcome.ERROR_STATUS)
        if response.end is End.QUIET:
            return Finding("framing.more", Outcome.WAITS, evidence={"body_bytes": len(response.body)})
        if not response.whole:
            # it noticed when it was too late, and broke off before the promised length
            return Finding("framing.more", Outcome.CLOSED, evidence={"body_bytes": len(response.body)})
        spoilt = then("framing.sized_then", visit).outcome is Outcome.SPOILT
    surplus = len(response.surplus)
    outcome = Outcome.SPOILT if spoilt else Outcome.SENT if surplus else Outcome.LEFT_OUT
    return Finding("framing.more", outcome, evidence={"surplus_bytes": surplus})
