"""The instants of a request against the stamps of the server that answered it."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic_ns
from typing import Any, Literal

import pytest

from results.records import MISSING, Outcome
from scenarios.client import Request
from scenarios.exchange import NEVER_NS, Exchange, Window
from scenarios.expected import Expected
from tests.scenarios.clients import client_of
from tests.synthetic import RequestTruth, SyntheticServer
from tests.synthetic.reply import Framing, Stale

Content = Literal["csv", "page", "ndjson", "events"]

LINE_ENDS = {"crlf": "\r\n", "lf": "\n"}
NO_WINDOW = Window(NEVER_NS, NEVER_NS)


@pytest.fixture(scope="module")
def server() -> Iterator[SyntheticServer]:
    with SyntheticServer() as running:
        yield running


def ask(
    server: SyntheticServer,
    path: str,
    *,
    method: str = "GET",
    window: Window = NO_WINDOW,
    marker: str | None = None,
) -> tuple[Exchange, RequestTruth]:
    """One request on a connection of its own, and what the server knows of it."""
    server.reset()
    client = client_of(server.host, server.port, timeout_s=20)
    exchange = client.perform(Request(method, path), lambda: Exchange(method, window, marker))
    client.close()
    return exchange, server.truth()[0]


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_each_instant_lies_between_its_own_send_and_the_next(
    server: SyntheticServer, framing: Framing
) -> None:
    path = server.path(
        framing=framing,
        chunks=(10, 200, 4096),
        headers_after_s=0.08,
        body_after_s=0.08,
        pace_s=0.08,
        end_after_s=0.08,
    )
    exchange, truth = ask(server, path)

    headers, body, row, end = truth.headers, truth.body, truth.first_row, truth.end
    assert headers
    assert row
    assert end
    assert exchange.connected_ns <= exchange.sent_ns <= truth.received_ns
    assert headers.before_ns <= exchange.headers_ns < body[0].before_ns
    assert body[0].before_ns <= exchange.first_body_ns < body[1].before_ns
    assert row == body[1]
    assert row.before_ns <= exchange.first_row_ns < body[2].before_ns
    assert end.before_ns <= exchange.last_ns
    assert exchange.first_body_ns - exchange.sent_ns >= 0.16e9
    assert exchange.stall_max_ns >= 0.08e9
    assert exchange.body_bytes == truth.body_bytes == 4306
    assert exchange.framing == framing
    assert exchange.close_delimited is (framing == "close")
    assert exchange.complete


def test_an_empty_first_yield_gives_headers_and_no_first_byte(server: SyntheticServer) -> None:
    exchange, truth = ask(server, server.path(chunks=(0, 500), pace_s=0.05))
    assert exchange.headers_ns < truth.body[0].before_ns <= exchange.first_body_ns
    assert exchange.first_body_ns - exchange.headers_ns >= 0.05e9 - (
        truth.body[0].after_ns - truth.body[0].before_ns
    )


def test_the_longest_gap_is_the_stall_and_not_the_wait_before_the_body(server: SyntheticServer) -> None:
    path = server.path(
        chunks=(100,), repeat=6, pace_s=0.005, stall_s=0.08, stall_chunk=4, headers_after_s=0.3
    )
    exchange, truth = ask(server, path)
    gaps = [late.before_ns - early.after_ns for early, late in zip(truth.body, truth.body[1:], strict=False)]
    assert gaps.index(max(gaps)) == 3
    # the client's gap holds the server's, and the server's wait before the body is not in it
    assert exchange.stall_max_ns >= 0.08e9
    assert exchange.stall_max_ns < truth.body[0].before_ns - truth.received_ns


def test_a_row_is_found_across_reads_and_quoted_line_breaks(server: SyntheticServer) -> None:
    path = server.path(quoted=True, chunks=(7,), repeat=60, pace_s=0.002)
    exchange, truth = ask(server, path)
    row = truth.first_row
    assert row
    following = next(write for write in truth.body if write.before_ns > row.before_ns)
    assert row.before_ns <= exchange.first_row_ns
    assert exchange.first_row_ns < following.before_ns + 0.002e9
    assert exchange.first_row_ns > exchange.first_body_ns


@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize("content", ["csv", "page", "ndjson", "events"])
def test_the_first_row_is_found_with_the_read_that_completes_it(
    server: SyntheticServer, content: Content, gzip: bool
) -> None:
    path = server.path(content=content, gzip=gzip, chunks=(20, 300, 4000), pace_s=0.04)
    exchange, truth = ask(server, path)
    row = truth.first_row
    assert row
    assert row == truth.body[1]
    assert row.before_ns <= exchange.first_row_ns < truth.body[2].before_ns
    assert exchange.body_bytes == sum(write.content_bytes for write in truth.body) == 4320
    assert (truth.body_bytes < 4320) == gzip


@pytest.mark.parametrize("eol", ["crlf", "lf"])
def test_what_keeps_a_stream_of_events_alive_is_no_row(
    server: SyntheticServer, eol: Literal["crlf", "lf"]
) -> None:
    """The comment and the `retry` come with the first chunk, the first event byte for byte after it."""
    head = len(f": synthetic{2 * LINE_ENDS[eol]}retry: 3000{2 * LINE_ENDS[eol]}")
    chunks = (head, *[1] * 60, 500)
    path = server.path(
        content="events", eol=eol, chunks=chunks, pace_s=0.002, stall_s=0.1, stall_chunk=len(chunks) - 1
    )
    exchange, truth = ask(server, path)
    row = truth.first_row
    assert row
    assert truth.body[40].before_ns < row.before_ns <= exchange.first_row_ns < truth.body[-1].before_ns
    assert exchange.body_bytes == truth.body_bytes


def test_a_suite_s_own_marker_goes_before_the_content_type(server: SyntheticServer) -> None:
    path = server.path(content="page", chunks=(30, 4000), pace_s=0.04)
    exchange, truth = ask(server, path, marker="<html>")
    assert exchange.first_row_ns < truth.body[1].before_ns


def test_content_without_rows_has_no_first_row(server: SyntheticServer) -> None:
    exchange, _ = ask(server, server.path(chunks=(5,)))
    assert exchange.first_row_ns == MISSING
    assert exchange.complete


def test_an_interim_response_is_not_the_response(server: SyntheticServer) -> None:
    exchange, truth = ask(server, server.path(interim=(103, 103), headers_after_s=0.05, chunks=(50,)))
    assert truth.headers
    assert exchange.headers_ns >= truth.headers.before_ns
    assert exchange.status == 200
    assert exchange.complete


@pytest.mark.parametrize("framing", ["chunked", "length"])
def test_the_answer_to_head_ends_with_its_headers(server: SyntheticServer, framing: Framing) -> None:
    exchange, _ = ask(server, server.path(framing=framing, chunks=(500,)), method="HEAD")
    assert exchange.complete
    assert exchange.last_ns == exchange.headers_ns
    assert exchange.first_body_ns == MISSING
    assert exchange.body_bytes == 0


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_body_is_complete_without_one(server: SyntheticServer, status: int) -> None:
    exchange, _ = ask(server, server.path(status=status, chunks=()))
    assert exchange.complete
    assert exchange.first_body_ns == MISSING


@pytest.mark.parametrize(
    "reply",
    [
        {"trailers": True},
        {"extensions": True},
        {"head_segment": 3},
        {"segment": 1},
        {"http": "1.0", "framing": "length"},
    ],
)
def test_unusual_but_valid_messages_verify(server: SyntheticServer, reply: dict[str, Any]) -> None:
    path = server.path(chunks=(40, 60), **reply)
    exchange, _ = ask(server, path)
    body = server.body(path)
    exchange.judge(Expected(200, len(body), None))
    assert exchange.outcome is Outcome.VERIFIED


def test_bytes_are_counted_at_both_edges_of_the_window(server: SyntheticServer) -> None:
    """The edges lie between sends whose instants the server knows."""
    path = server.path(chunks=(1000,), repeat=10, pace_s=0.03)
    whole, _ = ask(server, path)
    start = whole.sent_ns

    client = client_of(server.host, server.port, timeout_s=20)
    server.reset()
    window = Window(0, 0)

    def begin() -> Exchange:
        # Edges 75 ms and 195 ms after the begin: in the middle of pauses of 30 ms.
        now = monotonic_ns()
        window.open_ns, window.close_ns = now + 75_000_000, now + 195_000_000
        return Exchange("GET", window)

    exchange = client.perform(Request("GET", path), begin)
    client.close()
    assert exchange.sent_ns > start
    truth = server.truth()[0]
    before_open = sum(write.body_bytes for write in truth.body if write.before_ns < window.open_ns)
    before_close = sum(write.body_bytes for write in truth.body if write.before_ns < window.close_ns)
    assert exchange.bytes_at_open in {before_open, before_open - 1000}
    assert exchange.bytes_at_close in {before_close, before_close - 1000}
    assert 0 < exchange.bytes_at_open < exchange.bytes_at_close < 10_000


def test_kept_alive_connections_are_used_again(server: SyntheticServer) -> None:
    server.reset()
    client = client_of(server.host, server.port, timeout_s=20)
    request = Request("GET", server.path())
    first, second = (client.perform(request, lambda: Exchange("GET", NO_WINDOW)) for _ in range(2))
    client.close()
    assert first.connected_ns != MISSING
    assert second.connected_ns == MISSING
    assert server.counts().connections == 1


def test_one_connection_a_request_when_asked_for(server: SyntheticServer) -> None:
    server.reset()
    client = client_of(server.host, server.port, timeout_s=20)
    request = Request("GET", server.path(), close=True)
    exchanges = [client.perform(request, lambda: Exchange("GET", NO_WINDOW)) for _ in range(3)]
    client.close()
    assert all(exchange.connected_ns != MISSING for exchange in exchanges)
    assert server.counts().connections == 3


@pytest.mark.parametrize("stale", ["idle", "next"])
def test_a_stale_connection_is_not_the_response_s_failure(server: SyntheticServer, stale: Stale) -> None:
    """The server promised to keep the connection and closed it: the request goes out once more."""
    server.reset()
    client = client_of(server.host, server.port, timeout_s=20)
    path = server.path(stale=stale)
    for _ in range(3):
        exchange = client.perform(Request("GET", path), lambda: Exchange("GET", NO_WINDOW))
        assert exchange.complete
    client.close()
    assert server.counts().connections == 3
