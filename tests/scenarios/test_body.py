"""Bodies read without a copy are what llhttp itself would have read, however the bytes are cut into reads."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.body import BodyReader, ChunkedBody, SizedBody

BYTES = bytes(range(256)) * 400


class Sink:
    """Copies what it is told; ``viewed`` counts the bytes that came as views."""

    def __init__(self) -> None:
        self.body = b""
        self.viewed = 0
        self.silent_bytes = 0
        self.complete = False
        self.events: list[str] = []

    def on_body(self, body: bytes | memoryview) -> None:
        self.body += body
        self.silent_bytes = 0
        if isinstance(body, memoryview):
            self.viewed += len(body)

    def on_message_complete(self) -> None:
        self.complete = True
        self.events.append("complete")

    def on_message_begin(self) -> None:
        if self.events:  # a parser that takes over begins a message of its own
            self.events.append("more")


class LlhttpAlone:
    """The peer: llhttp reads everything."""

    def __init__(self, sink: Sink, header: bytes) -> None:
        self._parser = httptools.HttpResponseParser(sink)
        self._parser.feed_data(b"HTTP/1.1 200 OK\r\n" + header + b"\r\n\r\n")

    def feed(self, data: memoryview) -> None:
        self._parser.feed_data(data)


def reads(wire: bytes, cuts: list[int]) -> Iterator[memoryview]:
    """The wire in reads, each in a buffer that is overwritten afterwards, as the client's is."""
    borders = sorted({0, len(wire), *(cut % (len(wire) + 1) for cut in cuts)})
    buffer = bytearray(len(wire))
    for start, stop in itertools.pairwise(borders):
        view = memoryview(buffer)[: stop - start]
        view[:] = wire[start:stop]
        yield view
        view[:] = bytes(stop - start)


def told(reader: BodyReader, sink: Sink, wire: bytes, cuts: list[int]) -> tuple[bytes, list[str], bool]:
    """The body, what came after it, and whether the bytes were malformed."""
    try:
        for read in reads(wire, cuts):
            reader.feed(read)
    except httptools.HttpParserError:
        return sink.body, sink.events, True
    return sink.body, sink.events, False


def chunk(size: int, extension: bytes = b"") -> bytes:
    return b"%x%s\r\n%s\r\n" % (size, extension, BYTES[:size])


CHUNKS = st.lists(
    st.builds(
        chunk,
        st.one_of(st.integers(1, 200), st.integers(1000, 5000), st.sampled_from([2047, 2048, 65536])),
        st.sampled_from([b"", b"", b"", b";a=b"]),
    ),
    max_size=30,
)
ENDS = st.sampled_from([b"0\r\n\r\n", b"0\r\nX-Size: 3\r\n\r\n", b"00000000\r\n\r\n", b""])
CUTS = st.lists(st.integers(0, 10**6), max_size=40)


@given(CHUNKS, ENDS, CUTS)
def test_a_chunked_body_is_what_llhttp_reads(chunks: list[bytes], end: bytes, cuts: list[int]) -> None:
    wire = b"".join(chunks) + end
    sink, peer = Sink(), Sink()
    expected = told(LlhttpAlone(peer, b"Transfer-Encoding: chunked"), peer, wire, [])
    assert told(ChunkedBody(sink), sink, wire, cuts) == expected
    assert sink.events == (["complete"] if end else [])


@given(
    CHUNKS, CUTS, st.sampled_from([b"XYZ", b"x", b"\r\r", b"\n12\r\n", b"123456789012345678\r\n", b"-5\r\n"])
)
def test_malformed_chunks_are_malformed(chunks: list[bytes], cuts: list[int], fault: bytes) -> None:
    wire = b"".join(chunks) + fault + BYTES[:100]
    sink = Sink()
    body, events, malformed = told(ChunkedBody(sink), sink, wire, cuts)
    assert malformed
    assert not events
    assert len(body) <= len(wire)


@given(CUTS, st.integers(3000, 90_000))
def test_a_chunk_that_is_longer_than_its_size_is_malformed(cuts: list[int], size: int) -> None:
    wire = chunk(size)[:-2] + b"AB\r\n" + b"0\r\n\r\n"
    sink = Sink()
    assert told(ChunkedBody(sink), sink, wire, cuts)[2]


@pytest.mark.parametrize("size", [2048, 65536])
def test_large_chunks_are_not_copied(size: int) -> None:
    sink = Sink()
    told(ChunkedBody(sink), sink, chunk(size) * 20 + b"0\r\n\r\n", [1000, 70_000, 70_001])
    assert sink.viewed == 20 * size
    assert sink.events == ["complete"]


def test_many_small_chunks_are_left_to_llhttp() -> None:
    sink = Sink()
    told(ChunkedBody(sink), sink, chunk(93) * 1000 + b"0\r\n\r\n", [])
    assert len(sink.body) == 93_000
    assert sink.viewed < 93 * 20


@given(st.integers(0, 5000), st.integers(0, 50), CUTS)
def test_a_sized_body_ends_with_its_size(size: int, surplus: int, cuts: list[int]) -> None:
    sink = Sink()
    body, events, malformed = told(SizedBody(sink, size), sink, BYTES[: size + surplus], cuts)
    assert body == BYTES[:size]
    assert not malformed
    assert events[:1] == ["complete"]
    assert set(events[1:]) == ({"more"} if surplus else set())


def test_a_sized_body_that_is_cut_off_is_not_complete() -> None:
    sink = Sink()
    assert told(SizedBody(sink, 100), sink, BYTES[:99], []) == (BYTES[:99], [], False)
