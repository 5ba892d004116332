"""The exchange of a traced trial, which keeps when each of its reads arrived."""

from __future__ import annotations

import sys
from array import array

from results.records import Outcome
from scenarios.arrival import Arrival
from scenarios.exchange import Exchange, Window
from scenarios.specification import POINT_NUMBERS

#: 32 MB of a response's points.
MOST_READS = 1_000_000


class TracedExchange(Exchange):
    """Also keeps when each read arrived and how many bytes of the body had by then: for no trial with a rate.

    ``points`` holds POINT_NUMBERS for each read that brought bytes of the body: its arrival (ns),
    bytes of the content so far, by how much (ns) they may have arrived earlier, MISSING where nobody knows
    (`Arrival`), and bytes of the body so far as they are on the wire. A response that comes in more than
    MOST_READS reads fails.
    """

    __slots__ = ("_wire_bytes", "points")
    BOUNDED = True

    def __init__(
        self, method: str, window: Window, marker: str | None, most_bytes: int = sys.maxsize
    ) -> None:
        super().__init__(method, window, marker, most_bytes)
        self._wire_bytes = 0
        self.points = array("q")

    def arrived_bounded(self, data: memoryview, arrival: Arrival) -> None:
        """A read brought these bytes."""
        before = self._wire_bytes
        super().arrived_bounded(data, arrival)
        if self._wire_bytes > before:
            self.points.extend((arrival.at_ns, self.body_bytes, arrival.error_ns, self._wire_bytes))
            if len(self.points) > MOST_READS * POINT_NUMBERS:
                self.fail(Outcome.UNFINISHED, f"left after {MOST_READS:,} reads, all of which are kept")

    def on_body(self, body: bytes | memoryview) -> None:
        """Some bytes of the body."""
        self._wire_bytes += len(body)
        super().on_body(body)
