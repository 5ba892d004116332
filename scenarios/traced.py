"""A traced trial's load: one user's requests, one after another, each with all of its reads."""

from __future__ import annotations

import gc
from time import monotonic_ns
from typing import Any

from results.records import AS_PLANNED
from scenarios.arrival import StampClock
from scenarios.client import MOST_READ_BYTES, Request, TimedClient
from scenarios.exchange import NEVER_NS, Window
from scenarios.expected import Expected
from scenarios.leaving import READ_BYTES, LeavingExchange
from scenarios.polling import PollClock
from scenarios.specification import POINT_NUMBERS, TraceSpecification
from scenarios.traced_exchange import TracedExchange


def trace(specification: TraceSpecification, polls: PollClock) -> tuple[dict[str, Any], bytes]:
    """Ask until there are requests enough, or time is up, or one has failed; the first is the warm-up.

    The packed bytes are the requests' records and, behind them, the points of each.
    """
    address = specification.address
    clock = StampClock()
    client = TimedClient(
        address.host,
        address.port,
        timeout_s=address.timeout_s,
        clock=clock,
        polls=polls,
        most_read_bytes=MOST_READ_BYTES if specification.leaving is None else READ_BYTES,
    )
    request = Request.to(address)
    expected = Expected(specification.status, specification.body_bytes, specification.digest)
    exchanges: list[TracedExchange] = []
    deadline_ns = NEVER_NS
    gc.collect()
    gc.disable()  # as in a timed trial
    try:
        while len(exchanges) <= specification.requests and monotonic_ns() < deadline_ns:
            exchange = client.perform(request, lambda: _new_exchange(specification))
            exchange.judge(expected)
            exchanges.append(exchange)
            if exchange.outcome not in AS_PLANNED:
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


def _new_exchange(specification: TraceSpecification) -> TracedExchange:
    window = Window(NEVER_NS, NEVER_NS)
    method, marker, most_bytes = (
        specification.address.method,
        specification.row_marker,
        specification.body_bytes,
    )
    if specification.leaving is None:
        return TracedExchange(method, window, marker, most_bytes)
    return LeavingExchange(method, window, marker, specification.leaving, most_bytes)
