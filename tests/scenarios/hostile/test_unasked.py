"""What a server sends behind a response, or before it is asked, is never taken for a response."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import xxhash

from results.records import Outcome
from scenarios.client import Request
from scenarios.exchange import NEVER_NS, Exchange, Window
from scenarios.expected import Expected
from tests.scenarios.clients import client_of
from tests.scenarios.hostile.corpus import WHOLE
from tests.scenarios.hostile.feeding import BODY

EXPECTED = Expected(200, len(BODY), xxhash.xxh3_64_intdigest(BODY))
_REST_S = 0.05


@contextmanager
def serving(connected: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that does so with each connection: its port."""

    def serve() -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):  # the client has left
                    connected(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def outcomes(port: int, *, rest_s: float, close: bool = False) -> list[Outcome]:
    """Of three requests of one client, which rests between them."""
    client = client_of("127.0.0.1", port, timeout_s=10)
    seen = []
    for _ in range(3):
        request = Request("GET", "/", close=close)
        exchange = client.perform(request, lambda: Exchange("GET", Window(NEVER_NS, NEVER_NS)))
        exchange.judge(EXPECTED)
        seen.append(exchange.outcome)
        time.sleep(rest_s)
    client.close()
    return seen


def answers(connection: socket.socket) -> None:
    while connection.recv(65536):
        connection.sendall(WHOLE)


@pytest.mark.parametrize("surplus", [b"x", b"\r\n", WHOLE])
def test_bytes_that_come_late_on_a_kept_connection_are_no_response(surplus: bytes) -> None:
    def goes_on(connection: socket.socket) -> None:
        while connection.recv(65536):
            connection.sendall(WHOLE)
            time.sleep(_REST_S / 5)
            connection.sendall(surplus)

    with serving(goes_on) as port:
        assert outcomes(port, rest_s=_REST_S) == [Outcome.VERIFIED, Outcome.MALFORMED, Outcome.VERIFIED]


def test_a_response_before_its_request_is_none() -> None:
    def hasty(connection: socket.socket) -> None:
        connection.sendall(WHOLE)
        answers(connection)

    with serving(hasty) as port:
        client = client_of("127.0.0.1", port, timeout_s=10)
        seen = []
        for _ in range(3):
            exchange = client.perform(
                Request("GET", "/"), lambda: Exchange("GET", Window(NEVER_NS, NEVER_NS))
            )
            exchange.judge(EXPECTED)
            seen.append(exchange.outcome)
            time.sleep(_REST_S)
        client.close()
    assert Outcome.MALFORMED in seen[:2]


def test_a_reset_in_the_middle_is_one() -> None:
    def resets(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(WHOLE[:-5])
        time.sleep(_REST_S)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with serving(resets) as port:
        assert outcomes(port, rest_s=0) == [Outcome.RESET] * 3


def test_a_server_that_keeps_to_its_responses_is_believed() -> None:
    with serving(answers) as port:
        assert outcomes(port, rest_s=_REST_S) == [Outcome.VERIFIED] * 3
