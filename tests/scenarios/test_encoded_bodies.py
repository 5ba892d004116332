"""Responses with a content encoding: what counts is the content, and it has to be complete."""

from __future__ import annotations

import gzip
import io
import random
import zlib

import brotli
import pytest
import xxhash
from backports import zstd

from results.records import MISSING, Outcome
from scenarios.arrival import Arrival
from scenarios.exchange import NEVER_NS, Exchange, Window
from scenarios.expected import Expected
from scenarios.kept import KeptExchange
from scenarios.traced_exchange import TracedExchange

WINDOW = Window(NEVER_NS, NEVER_NS)
LETTERS = random.Random(0)  # noqa: S311  - nothing secret
CSV = b"a,b\r\n" + b"".join(b"%d,%s\r\n" % (n, LETTERS.randbytes(9).hex().encode()) for n in range(300))
EXPECTED = Expected(200, len(CSV), xxhash.xxh3_64_intdigest(CSV))
ENCODED = {
    "gzip": gzip.compress(CSV),
    "deflate": zlib.compress(CSV),
    "br": brotli.compress(CSV),
    "zstd": zstd.compress(CSV),
}


def received(exchange: Exchange, encoding: str, body: bytes, size: int = 1000) -> Exchange:
    """A response with a length, whose body arrives in reads of so many bytes, 1 ms apart."""

    exchange.sending()
    exchange.sent_ns = 0
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Encoding: {encoding}\r\n"
    exchange.arrived_bounded(
        memoryview(f"{head}Content-Length: {len(body)}\r\n\r\n".encode()), Arrival(1_000_000, 0, 0)
    )
    for number, at in enumerate(range(0, len(body), size), 2):
        exchange.arrived_bounded(memoryview(body)[at : at + size], Arrival(number * 1_000_000, 0, 0))
    exchange.judge(EXPECTED)
    return exchange


@pytest.mark.parametrize("encoding", ENCODED)
def test_length_hash_and_row_are_those_of_the_content(encoding: str) -> None:
    exchange = received(Exchange("GET", WINDOW), encoding, ENCODED[encoding])
    assert (exchange.outcome, exchange.body_bytes) == (Outcome.VERIFIED, len(CSV))
    assert exchange.encoding == encoding
    assert exchange.first_body_ns == 2_000_000
    assert exchange.first_row_ns >= exchange.first_body_ns


@pytest.mark.parametrize("encoding", ENCODED)
def test_the_same_content_in_other_bytes_is_the_same(encoding: str) -> None:
    again = {
        "gzip": gzip.compress(CSV, 1, mtime=7),
        "deflate": zlib.compress(CSV, 1),
        "br": brotli.compress(CSV, quality=1),
        "zstd": zstd.compress(CSV, 19),
    }[encoding]
    assert again != ENCODED[encoding]
    assert received(Exchange("GET", WINDOW), encoding, again).outcome is Outcome.VERIFIED


@pytest.mark.parametrize("encoding", ENCODED)
def test_a_first_byte_that_is_no_content_yet_is_no_row(encoding: str) -> None:
    exchange = received(Exchange("GET", WINDOW), encoding, ENCODED[encoding], size=2)
    assert exchange.first_body_ns == 2_000_000
    assert exchange.first_row_ns > exchange.first_body_ns


@pytest.mark.parametrize("encoding", ENCODED)
def test_content_without_its_end_is_cut_off_though_the_body_is_complete(encoding: str) -> None:
    exchange = received(Exchange("GET", WINDOW), encoding, ENCODED[encoding][:-3])
    assert exchange.complete
    assert exchange.outcome is Outcome.TRUNCATED
    assert f"its {encoding} content has no end" in exchange.error


@pytest.mark.parametrize("encoding", ENCODED)
def test_content_that_is_not_what_it_says_is_malformed(encoding: str) -> None:
    exchange = received(Exchange("GET", WINDOW), encoding, b"\xff\xff\xff\xff and plain text" * 100)
    assert exchange.outcome is Outcome.MALFORMED
    assert f"encoded as {encoding}, and it is not {encoding}" in exchange.error


def test_an_encoding_that_nobody_knows_is_left_as_it_is() -> None:
    exchange = received(Exchange("GET", WINDOW), "sdch", CSV)
    assert (exchange.outcome, exchange.first_row_ns) == (Outcome.VERIFIED, MISSING)


def test_verify_keeps_the_content() -> None:
    file = io.BytesIO()
    kept = KeptExchange("GET", WINDOW, file, most_bytes=len(CSV))
    assert received(kept, "br", ENCODED["br"]).outcome is Outcome.VERIFIED
    assert file.getvalue() == CSV


def test_a_traced_read_counts_content_and_wire() -> None:
    traced = TracedExchange("GET", WINDOW, None)
    received(traced, "gzip", ENCODED["gzip"], size=5)
    points = [tuple(traced.points[at : at + 4]) for at in range(0, len(traced.points), 4)]
    assert points[0] == (2_000_000, 0, 0, 5)  # within the header of gzip
    assert points[-1][1::2] == (len(CSV), len(ENCODED["gzip"]))
