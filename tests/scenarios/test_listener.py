"""The doctor's ear: what goes over the wire, and what counts as the connection's round trip."""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from scenarios.listener import NotHeard, Question, listen


@contextmanager
def answering(*parts: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A server that answers one request with these bytes: its port, and the requests that came."""
    asked: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            asked.append(connection.recv(65536))
            for part in parts:
                connection.sendall(part)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1], asked
        finally:
            with socket.socket() as one_more:  # lets the server go where nobody asked
                one_more.connect_ex(listener.getsockname())
            thread.join()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    ("rest", "line"),
    [
        ("/a b?c=d e", b"GET /a%20b?c=d%20e HTTP/1.1"),
        ("/n\u00ef?u=\u20ac", b"GET /n%C3%AF?u=%E2%82%AC HTTP/1.1"),
        ("/a%20b?c=%2F#there", b"GET /a%20b?c=%2F HTTP/1.1"),
        ("?c=1", b"GET /?c=1 HTTP/1.1"),
    ],
)
def test_a_url_is_written_as_http_wants_it(rest: str, line: bytes) -> None:
    with answering(OK) as (port, asked):
        heard = listen(Question(f"http://127.0.0.1:{port}{rest}"))
    assert asked[0].splitlines()[0] == line
    assert (heard.status, heard.complete, heard.body_bytes) == (200, True, 2)


def test_a_user_and_a_password_are_sent_and_the_host_is_without_them() -> None:
    with answering(OK) as (port, asked):
        listen(Question(f"http://jo:s%20t@127.0.0.1:{port}/"))
    lines = asked[0].decode().splitlines()
    assert f"Authorization: Basic {base64.b64encode(b'jo:s t').decode()}" in lines
    assert f"Host: 127.0.0.1:{port}" in lines


def test_a_name_that_is_found_slowly_and_an_address_that_is_dead_are_no_round_trip(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wait_s = 0.3
    with answering(OK) as (port, _):
        stream = (socket.AF_INET, socket.SOCK_STREAM, 0, "")

        def found(*_: Any, **__: Any) -> list[Any]:
            time.sleep(wait_s)
            return [(*stream, ("127.0.0.1", 9)), (*stream, ("127.0.0.1", port))]

        monkeypatch.setattr(socket, "getaddrinfo", found)
        heard = listen(Question(f"http://slow.example:{port}/"))
    assert heard.status == 200
    assert heard.round_trip_ns < wait_s * 1e9


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nx",), "protocol"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",), "too soon"),
        ((b"no HTTP at all\r\n\r\n",), "malformed"),
        ((b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",), "gzip"),
    ],
    ids=["101", "short", "not HTTP", "not gzip"],
)
def test_what_is_no_whole_response_is_a_failure_with_its_reason(parts: tuple[bytes, ...], words: str) -> None:
    with answering(*parts) as (port, _):
        heard = listen(Question(f"http://127.0.0.1:{port}/"))
    assert not heard.complete or heard.failure
    assert words in str(heard.failure)


def test_a_name_without_an_address_is_told() -> None:
    with pytest.raises(NotHeard, match=r"nobody answers at nowhere\.invalid port 80"):
        listen(Question("http://nowhere.invalid/"))
