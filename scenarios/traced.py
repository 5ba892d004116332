"""A traced trial's load: one user's requests, one after another, each with all of its reads."""

from __future__ import annotations

import gc
import sys
from array import array
from time import monotonic_ns
from typing import Any

from results.records import Outcome
from scenarios.arrival import Arrival, StampClock
from scenarios.client import Request, TimedClient
from scenarios.exchange import NEVER_NS, Exchange, Expected, Window
from scenarios.polling import PollClock
from scenarios.specification import POINT_NUMBERS, TraceSpecification

#: 32 MB of a response's points.
MOST_READS = 1_000_000


class TracedExchange(Exchange):
    """Also keeps when each read arrived and how many bytes of the body had by then: never in a timed trial.

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


def trace(specification: TraceSpecification, polls: PollClock) -> tuple[dict[str, Any], bytes]:
    """Ask until there are requests enough, or time is up, or one has failed; the first is the warm-up.

    The packed bytes are the requests' records and, behind them, the points of each.
    """
    address = specification.address
    clock = StampClock()
    client = TimedClient(address.host, address.port, timeout_s=address.timeout_s, clock=clock, polls=polls)
    request = Request.to(address)
    expected = Expected(specification.status, specification.body_bytes, specification.digest)
    window = Window(NEVER_NS, NEVER_NS)
    exchanges: list[TracedExchange] = []
    deadline_ns = NEVER_NS
    gc.collect()
    gc.disable()  # as in a timed trial
    try:
        while len(exchanges) <= specification.requests and monotonic_ns() < deadline_ns:
            exchange = client.perform(
                request,
                lambda: TracedExchange(
                    address.method, window, specification.row_marker, specification.body_bytes
                ),
            )
            exchange.judge(expected)
            exchanges.append(exchange)
            if exchange.outcome is not Outcome.VERIFIED:
                break
            if len(exchanges) == 2:
                deadline_ns = exchanges[1].sent_ns + round(specification.longest_s * 1e9)
    finally:
        gc.enable()
        client.close()
    message = {
        "failure": exchanges[-1].error or None,
        "requests": len(exchanges),
        "reads": [len(exchange.points) // POINT_NUMBERS for exchange in exchanges],
        "clock_drift_ns": clock.drift_ns() if clock.stamped else None,
        "clock_begun_ns": clock.begun_ns,
        "clock_span_ns": monotonic_ns() - clock.begun_ns if clock.stamped else None,
    }
    packed = [exchange.pack(0) for exchange in exchanges] + [e.points.tobytes() for e in exchanges]
    return message, b"".join(packed)
