"""How a response ends that is not what was promised: what a client makes of it, and when."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic_ns

from harness.conformance.subject import Visit
from harness.conformance.wire import End, Framing, Response
from results.conformance.questions import Outcome

#: Whoever ends a response does so within this, on a machine that is busy too. What comes later is another's
#: work: that of a timeout for connections on which nothing happens.
SOON_S = 1.0
#: A client that still waits then waits for what will not come: longer than such timeouts are here (gunicorn
#: 2 s, cheroot 10 s).
STUCK_AFTER_S = 15.0


@dataclass(frozen=True, slots=True)
class Ending:
    """`SEEN`, `SILENT` or `WAITS`. ``late_s``: how long the client waited for it; null where it came soon."""

    outcome: Outcome
    note: str
    late_s: float | None

    @property
    def figures(self) -> str:
        """The same time in words, where there is something to say of it."""
        return "" if self.late_s is None else f"after {self.late_s:.0f} s"


def ending_of(visit: Visit) -> Ending:
    """Read to the end, however long that takes, up to `STUCK_AFTER_S`. Raises MeasurementError."""
    late_s = None
    if visit.read(SOON_S).end is End.QUIET:
        visit.read(STUCK_AFTER_S)
        late_s = (monotonic_ns() - _last_ns(visit)) / 1e9
    response = visit.response
    if response.end is End.QUIET:
        return Ending(Outcome.WAITS, "", late_s)
    return Ending(Outcome.SILENT if response.whole else Outcome.SEEN, how(response), late_s)


def _last_ns(visit: Visit) -> int:
    response = visit.response
    return response.arrivals[-1][0] if response.arrivals else response.head_ns or visit.sent_ns


def how(response: Response) -> str:
    """By what a client sees that a response is not whole, or is misled."""
    if response.end is End.RESET:
        return "reset"
    if response.head_ns is None:
        return "no answer"
    if response.end is End.WHOLE:
        return "with a last chunk" if response.framing is Framing.CHUNKED else "with its length"
    if response.whole:
        return "closed"
    return "no last chunk" if response.framing is Framing.CHUNKED else "bytes missing"
