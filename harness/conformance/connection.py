"""Whether a connection serves another request after a response, and what that gets."""

from __future__ import annotations

from harness.conformance.subject import PATIENCE_S, Visit
from harness.conformance.wire import End, Response
from results.conformance.findings import Finding
from results.conformance.questions import Outcome

#: What is still to come of a response that has ended comes within this.
_SURPLUS_PATIENCE_S = 0.3


def then(question: str, visit: Visit) -> Finding:
    """Whether the connection of a response that is through serves another request.

    What comes behind the end of the response is taken for the next one, unless the connection is closed.
    Raises MeasurementError.
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
