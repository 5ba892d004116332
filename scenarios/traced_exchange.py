"""The exchange of a traced trial, which keeps when each of its reads arrived."""

from __future__ import annotations

from array import array

from scenarios.arrival import Arrival
from scenarios.exchange import Exchange, Window


class TracedExchange(Exchange):
    """Also keeps when each read arrived and how many bytes of the body had by then: for no trial with a rate.

    ``points`` holds POINT_NUMBERS for each read that brought bytes of the body: its arrival (ns),
    bytes of the content so far, by how much (ns) they may have arrived earlier, MISSING where nobody knows
    (`Arrival`), and bytes of the body so far as they are on the wire.
    """

    __slots__ = ("_wire_bytes", "points")
    BOUNDED = True

    def __init__(self, method: str, window: Window, marker: str | None) -> None:
        super().__init__(method, window, marker)
        self._wire_bytes = 0
        self.points = array("q")

    def arrived_bounded(self, data: memoryview, arrival: Arrival) -> None:
        """A read brought these bytes."""
        before = self._wire_bytes
        super().arrived_bounded(data, arrival)
        if self._wire_bytes > before:
            self.points.extend((arrival.at_ns, self.body_bytes, arrival.error_ns, self._wire_bytes))

    def on_body(self, body: bytes | memoryview) -> None:
        """Some bytes of the body."""
        self._wire_bytes += len(body)
        super().on_body(body)
