"""Kernel stamps against the server's own: right where the event loop is late, honest where they are not."""

from __future__ import annotations

import socket
import statistics
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic_ns

import gevent
import pytest

from results.records import MISSING
from scenarios.arrival import CONTROL_BYTES, StampClock, ask_for_stamps
from scenarios.client import Request
from scenarios.exchange import NEVER_NS, Exchange, Window
from tests.scenarios.clients import client_of
from tests.synthetic import RequestTruth, SyntheticServer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's stamps are Linux's")

#: How far the anchor between the two clocks, and the clocks' reading, may be off: far below what is tested.
ANCHOR_NS = 50_000
BUSY_NS = 15_000_000
CONNECTIONS = 5000


@pytest.fixture(scope="module")
def server() -> Iterator[SyntheticServer]:
    with SyntheticServer() as running:
        yield running


@contextmanager
def busy_loop() -> Iterator[None]:
    """Another greenlet holds the event loop for 15 ms at a time, as many busy users would."""

    def burn() -> None:
        while True:
            until = monotonic_ns() + BUSY_NS
            while monotonic_ns() < until:
                pass
            gevent.sleep(0)

    burning = gevent.spawn(burn)
    try:
        yield
    finally:
        burning.kill()


def asked(server: SyntheticServer, path: str, times: int) -> list[tuple[Exchange, RequestTruth]]:
    server.reset()
    client = client_of(server.host, server.port, timeout_s=20)
    window = Window(NEVER_NS, NEVER_NS)
    exchanges = [client.perform(Request("GET", path), lambda: Exchange("GET", window)) for _ in range(times)]
    client.close()
    return list(zip(exchanges, server.truth(), strict=True))


def stamp_error_ns(exchange: Exchange, truth: RequestTruth) -> int:
    """By how much the client's first byte is later than the send that brought it."""
    assert truth.first_body
    return exchange.first_body_ns - truth.first_body.after_ns


def test_an_idle_client_s_stamp_lies_within_the_send(server: SyntheticServer) -> None:
    pairs = asked(server, server.path(chunks=(500,), body_after_s=0.01), 15)
    for exchange, truth in pairs:
        assert truth.first_body
        assert truth.first_body.before_ns - ANCHOR_NS <= exchange.first_body_ns
        assert exchange.client_lag_ns >= 0
        assert exchange.stamp_error_ns >= 0
    assert statistics.median(stamp_error_ns(*pair) for pair in pairs) <= ANCHOR_NS


def test_a_busy_loop_reads_late_and_the_stamp_is_right_all_the_same(server: SyntheticServer) -> None:
    answers_once = server.path(framing="length", chunks=(500,), headers_after_s=0.01, join_head=True)
    with busy_loop():
        pairs = asked(server, answers_once, 8)
    lags = [exchange.client_lag_ns for exchange, _ in pairs]
    assert max(lags) > BUSY_NS / 5
    # of most: the server itself may be held up between its send and the stamp
    assert statistics.median(stamp_error_ns(*pair) for pair in pairs) <= ANCHOR_NS


def test_on_a_server_that_keeps_on_sending_the_error_is_within_its_bound(server: SyntheticServer) -> None:
    """The kernel merges what nobody has read, and keeps the later stamp."""
    path = server.path(chunks=(100,), repeat=60, pace_s=0.001, body_after_s=0.01)
    with busy_loop():
        pairs = asked(server, path, 4)
    errors = [stamp_error_ns(exchange, truth) for exchange, truth in pairs]
    assert max(errors) > ANCHOR_NS, "nothing was merged: the test shows nothing"
    for (exchange, _), error in zip(pairs, errors, strict=True):
        assert error <= exchange.stamp_error_ns + ANCHOR_NS


def test_no_read_lacks_its_stamp_where_one_connection_follows_another() -> None:
    """At the end of each the kernel would stop stamping, and begin anew a little too late."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            for _ in range(CONNECTIONS):
                with listener.accept()[0] as accepted:
                    accepted.recv(1)
                    accepted.sendall(b"x")

        answering = threading.Thread(target=answer)
        answering.start()
        stamped = [_has_stamp(listener.getsockname()) for _ in range(CONNECTIONS)]
        answering.join()
    assert sum(stamped[100:]) == CONNECTIONS - 100, "it has begun by then"


def _has_stamp(address: tuple[str, int]) -> bool:
    """Whether the first byte of a new connection comes with a stamp."""
    with socket.socket() as asking:
        ask_for_stamps(asking)
        asking.connect(address)
        asking.sendall(b"?")
        return bool(asking.recvmsg(1, CONTROL_BYTES)[1])


def test_without_a_stamp_the_loop_s_clock_serves_and_says_so() -> None:
    clock = StampClock()
    before = monotonic_ns()
    arrival = clock.arrival([], before)
    assert before <= arrival.at_ns <= monotonic_ns()
    assert (arrival.lag_ns, arrival.error_ns) == (MISSING, MISSING)
    assert not clock.stamped
