"""The load of the bench `clock`, in a process of its own: importing Locust patches the standard library.

Run as ``python -m tests.bench.clock_load`` with a JSON object of `Load`'s fields. Leaves in ``output`` a line
of JSON and, behind it, packed records: the timed client's (results.records) or LOCUST_STRUCT of Locust's own.
"""

from __future__ import annotations

import gc
import json
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic_ns, process_time_ns
from typing import Any

import gevent
import xxhash
from locust.contrib.fasthttp import FastHttpSession

from results.records import Outcome
from scenarios.arrival import StampClock
from scenarios.client import Request, TimedClient
from scenarios.exchange import NEVER_NS, Exchange, Window
from scenarios.expected import Expected
from scenarios.polling import PollClock
from targets.reference_server import TRUTH_HEADER

HOST = "127.0.0.1"
#: Port and turn of the request, and the response time that Locust gives, ns.
LOCUST_STRUCT = struct.Struct("<3q")
_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked. ``work_us``: each user holds the loop so long after each response.

    ``companion_us``: a greenlet beside the users holds it so long at a time, again and again.
    """

    client: str
    port: int
    path: str
    users: int
    seconds: float
    work_us: int
    companion_us: int
    body: str
    output: str


def hold(microseconds: int) -> None:
    """Keep the event loop from running."""
    until = monotonic_ns() + microseconds * 1000
    while monotonic_ns() < until:
        pass


def accompany(load: Load) -> None:
    """Hold the loop, let it poll once, and again."""
    while True:
        hold(load.companion_us)
        gevent.sleep(1e-6)  # by a timer: after sleep(0), gevent polls only every 50 switches


def drive(load: Load, ask: Callable[[int], Callable[[], None]]) -> float:
    """Run all users; the share of a core that this process used. ``ask`` makes a user's way to ask once."""

    def user(number: int) -> None:
        once = ask(number)
        while monotonic_ns() < end_ns:
            once()
            hold(load.work_us)

    gc.collect()
    gc.disable()
    companion = gevent.spawn(accompany, load) if load.companion_us else None
    cpu_ns, begun_ns = process_time_ns(), monotonic_ns()
    end_ns = begun_ns + round(load.seconds * 1e9)
    gevent.joinall([gevent.spawn(user, number) for number in range(load.users)], raise_error=True)
    share = (process_time_ns() - cpu_ns) / (monotonic_ns() - begun_ns)
    if companion is not None:
        companion.kill()
    return share


def timed(load: Load) -> tuple[dict[str, Any], bytes]:
    """Ours; the message holds what `harness.loading.load.corrected` needs."""
    polls, clock = PollClock(), StampClock()
    request = Request("GET", load.path)
    window = Window(NEVER_NS, NEVER_NS)
    body = load.body.encode()
    expected = Expected(200, len(body), xxhash.xxh3_64_intdigest(body))
    packed = bytearray()

    def ask(number: int) -> Callable[[], None]:
        client = TimedClient(HOST, load.port, timeout_s=_TIMEOUT_S, clock=clock, polls=polls)

        def once() -> None:
            exchange = client.perform(request, lambda: Exchange("GET", window))
            exchange.judge(expected)
            if exchange.outcome is not Outcome.VERIFIED:
                raise SystemExit(f"a response failed: {exchange.error}")
            packed.extend(exchange.pack(number))

        return once

    share = drive(load, ask)
    message = {
        "clock_drift_ns": clock.drift_ns() if clock.stamped else None,
        "clock_begun_ns": clock.begun_ns,
        "clock_span_ns": monotonic_ns() - clock.begun_ns,
    }
    return {"cpu": share, **message}, bytes(packed)


class LocustRequests:
    """Stands where Locust's own request event does, and keeps what it is fired with."""

    def __init__(self) -> None:
        self.packed = bytearray()

    def fire(self, *, response_time: float, response: Any, exception: Exception | None, **_: object) -> None:
        """One request, when Locust thinks that it has its time (ms)."""
        if exception is not None:
            raise SystemExit(f"a response failed: {exception}")
        port, turn = response.headers[TRUTH_HEADER].split("/")
        self.packed += LOCUST_STRUCT.pack(int(port), int(turn), round(response_time * 1e6))


def locust(load: Load) -> tuple[dict[str, Any], bytes]:
    """Locust's FastHttpUser's client with ``stream=True``, whose figure ends with the headers."""
    event = LocustRequests()

    def ask(_: int) -> Callable[[], None]:
        session = FastHttpSession(f"http://{HOST}:{load.port}", event, user=None)

        def once() -> None:
            body = session.get(load.path, stream=True).content
            if body != load.body.encode():
                raise SystemExit("a response has other bytes")

        return once

    return {"cpu": drive(load, ask)}, bytes(event.packed)


def main() -> None:
    """Drive the load that the command line describes."""
    load = Load(**json.loads(sys.argv[1]))
    message, packed = {"timed": timed, "locust": locust}[load.client](load)
    Path(load.output).write_bytes(json.dumps(message).encode() + b"\n" + packed)


if __name__ == "__main__":
    main()
