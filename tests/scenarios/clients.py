"""A timed client of its own for a test, on this process's event loop."""

from __future__ import annotations

from scenarios.arrival import StampClock
from scenarios.client import TimedClient
from scenarios.polling import PollClock


def client_of(host: str, port: int, *, timeout_s: float) -> TimedClient:
    return TimedClient(host, port, timeout_s=timeout_s, clock=StampClock(), polls=PollClock())
