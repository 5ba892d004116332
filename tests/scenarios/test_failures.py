"""Broken responses of a server that breaks them on purpose: none may ever count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import xxhash

from results.records import Outcome
from scenarios.client import Request
from scenarios.exchange import NEVER_NS, Exchange, Window
from scenarios.expected import Expected
from tests.scenarios.clients import client_of
from tests.synthetic import SyntheticServer


@pytest.fixture(scope="module")
def server() -> Iterator[SyntheticServer]:
    with SyntheticServer() as running:
        yield running


def judged(server: SyntheticServer, path: str, *, timeout_s: float = 20, good: str | None = None) -> Exchange:
    """The path's response, judged against the body that it (or the path ``good``) should have."""
    server.reset()
    body = server.body(good or path)
    client = client_of(server.host, server.port, timeout_s=timeout_s)
    window = Window(NEVER_NS, NEVER_NS)
    exchange = client.perform(Request("GET", path), lambda: Exchange("GET", window))
    client.close()
    exchange.judge(Expected(200, len(body), xxhash.xxh3_64_intdigest(body)))
    return exchange


def test_the_right_response_counts(server: SyntheticServer) -> None:
    assert judged(server, server.path(chunks=(100, 5000))).outcome is Outcome.VERIFIED


BROKEN: dict[str, tuple[dict[str, Any], Outcome]] = {
    "cut in the middle of a chunk": ({"cut_at": 2500}, Outcome.TRUNCATED),
    "cut before the first body byte": ({"cut_at": 0}, Outcome.TRUNCATED),
    "no terminating chunk": ({"unterminated": True}, Outcome.TRUNCATED),
    "fewer bytes than declared": ({"framing": "length", "cut_at": 3000}, Outcome.TRUNCATED),
    "a close-delimited body cut off": ({"framing": "close", "cut_at": 3000}, Outcome.WRONG_LENGTH),
    "reset in the middle": ({"cut_at": 2500, "reset": True}, Outcome.RESET),
    "more bytes than declared": ({"framing": "length", "surplus": 5}, Outcome.MALFORMED),
    "bytes after the last chunk": ({"surplus": 5}, Outcome.MALFORMED),
    "a server error": ({"status": 500}, Outcome.WRONG_STATUS),
    "a redirect": ({"status": 302}, Outcome.WRONG_STATUS),
    "one byte flipped": ({"flip_at": 1}, Outcome.WRONG_BYTES),
    "the last byte flipped": ({"flip_at": 1, "flip_offset": 4095}, Outcome.WRONG_BYTES),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_response_is_a_failure(server: SyntheticServer, how: str) -> None:
    reply, outcome = BROKEN[how]
    exchange = judged(server, server.path(chunks=(1024,) * 4, **reply), good=server.path(chunks=(1024,) * 4))
    assert exchange.outcome is outcome
    assert exchange.error


def test_a_server_that_never_answers_ends_with_the_timeout(server: SyntheticServer) -> None:
    assert judged(server, server.path(silent=True), timeout_s=0.2).outcome is Outcome.TIMED_OUT


def test_a_slow_drip_ends_with_the_timeout_though_bytes_keep_coming(server: SyntheticServer) -> None:
    path = server.path(chunks=(1,), repeat=400, pace_s=0.02)
    exchange = judged(server, path, timeout_s=0.3)
    assert exchange.outcome is Outcome.TIMED_OUT
    assert exchange.body_bytes > 1


def test_nobody_listening_is_a_failure_to_connect() -> None:
    with SyntheticServer() as gone:
        host, port = gone.host, gone.port
    client = client_of(host, port, timeout_s=5)
    exchange = client.perform(Request("GET", "/"), lambda: Exchange("GET", Window(NEVER_NS, NEVER_NS)))
    assert exchange.outcome is Outcome.CONNECT_FAILED
    assert exchange.sent_ns == -1


def test_a_failure_leaves_the_next_request_a_new_connection(server: SyntheticServer) -> None:
    server.reset()
    client = client_of(server.host, server.port, timeout_s=20)
    window = Window(NEVER_NS, NEVER_NS)
    broken = client.perform(Request("GET", server.path(unterminated=True)), lambda: Exchange("GET", window))
    after = client.perform(Request("GET", server.path()), lambda: Exchange("GET", window))
    client.close()
    assert broken.outcome is Outcome.TRUNCATED
    assert after.complete
