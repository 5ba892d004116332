"""Reading a body without a copy, where its framing allows it: the client's cost on large bodies.

llhttp (httptools) copies each piece of a body to make bytes of it. Where the rest of the body is told by a
length or by the connection's end, or comes in large chunks, the pieces are handed on as views of the read
buffer instead. Everything else, the last chunk and its trailers too, stays with llhttp.

None of these keeps anything of a body. What comes between two bytes of it (chunk extensions, trailers) is
bounded by MOST_SILENT_BYTES.
"""

from __future__ import annotations

import re
from typing import Protocol

import httptools

#: Below this, calls from Python cost more than the copy does.
_LARGE_CHUNK_BYTES = 2048
#: So many small chunks are borne before the body is given to llhttp for good.
_SMALL_CHUNKS_BORNE = 16

_FIRST_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
_LINE = re.compile(rb"\r\n([0-9A-Fa-f]{1,8})\r\n")
#: What may be the begin of either line, to the end of what has arrived.
_BEGUN_LINE = re.compile(rb"(?:\r(?:\n(?:[0-9A-Fa-f]{1,8}\r?)?)?|[0-9A-Fa-f]{1,8}\r?)?\Z")
_LONGEST_LINE = len(b"\r\nffffffff\r\n")
_CHUNKED_HEADER = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#: So much may come of a response without a byte of its body: as Chromium bears in a header block.
MOST_SILENT_BYTES = 256 * 1024
#: How a chunked message ends; llhttp passes over further line ends, which are no part of it.
_END = re.compile(rb"[^\r\n]\r\n\r\n")
_END_BYTES = 5


class BodySink(Protocol):
    """Is told what the body holds, with the names of httptools."""

    complete: bool
    """Whether it has been told of the end of the message."""
    silent_bytes: int
    """How much came since the last byte of the body: set to 0 by `on_body`."""

    def on_body(self, body: bytes | memoryview) -> None:
        """Some bytes of the body; a view is good until this returns."""

    def on_message_complete(self) -> None:
        """The end of the message."""

    def on_message_begin(self) -> None:
        """Something comes after the end of the message."""


class BodyReader(Protocol):
    """Is fed what follows the header block."""

    def feed(self, data: memoryview) -> None:
        """Some bytes of the message. Raises httptools.HttpParserError when they are malformed."""


class SizedBody:
    """A body of a known length (RFC 9112, 6.3, rule 6); complete at once when it is empty."""

    __slots__ = ("_left", "_sink")

    def __init__(self, sink: BodySink, size: int) -> None:
        self._sink = sink
        self._left = size
        if not size:
            sink.on_message_complete()

    def feed(self, data: memoryview) -> None:
        """Some bytes of the message."""
        left = self._left
        size = len(data)
        if size < left:
            self._left = left - size
            self._sink.on_body(data)
            return
        if left:
            self._left = 0
            self._sink.on_body(data[:left])
            self._sink.on_message_complete()
        if size > left:
            self._sink.on_message_begin()


class OpenBody:
    """A body that only the connection's end delimits (RFC 9112, 6.3, rule 8)."""

    __slots__ = ("_sink",)

    def __init__(self, sink: BodySink) -> None:
        self._sink = sink

    def feed(self, data: memoryview) -> None:
        """Some bytes of the message."""
        self._sink.on_body(data)


class ParsedBody:
    """A chunked body that llhttp reads; its ``parser`` has read the header block."""

    __slots__ = ("_parser", "_sink", "_tail")

    def __init__(self, sink: BodySink, parser: httptools.HttpResponseParser) -> None:
        self._sink = sink
        self._parser = parser
        self._tail = b""

    def feed(self, data: memoryview) -> None:
        """Some bytes of the message."""
        sink = self._sink
        sink.silent_bytes += len(data)
        self._parser.feed_data(data)
        self._tail = (self._tail + bytes(data[-_END_BYTES:]))[-_END_BYTES:]
        if sink.complete and not _END.match(self._tail):
            sink.on_message_begin()
        if sink.silent_bytes > MOST_SILENT_BYTES:
            raise httptools.HttpParserError(
                f"more than {MOST_SILENT_BYTES:,} bytes of chunk extensions or trailers, one after another"
            )


class ChunkedBody:
    """A chunked body (RFC 9112, 7.1) whose plain large chunks are handed on without a copy.

    From the first chunk on that is anything else (with an extension, the last one, malformed, or small
    after several small ones), a parser of llhttp's that was brought into the same state takes over.
    """

    __slots__ = ("_begun", "_chunk_left", "_line", "_parsed", "_sink", "_small_left")

    def __init__(self, sink: BodySink) -> None:
        self._sink = sink
        self._line = _FIRST_LINE
        self._chunk_left = 0
        self._begun = b""
        self._small_left = _SMALL_CHUNKS_BORNE
        self._parsed: ParsedBody | None = None

    def feed(self, data: memoryview) -> None:
        """Some bytes of the message."""
        if self._parsed is not None:
            self._parsed.feed(data)
            return
        at, end = 0, len(data)
        while True:
            if self._chunk_left:
                to = min(at + self._chunk_left, end)
                self._chunk_left -= to - at
                self._sink.on_body(data[at:to] if to - at < end else data)
                at = to
            if at == end:
                return
            at = self._line_end(data, at)
            if at < 0:
                return

    def _line_end(self, data: memoryview, at: int) -> int:
        """Where the line of a chunk's size ends that begins at ``at``, or before; -1 when all is taken."""
        head = self._begun + bytes(data[at : at + _LONGEST_LINE])
        line = self._line.match(head)
        if line is None:
            if _BEGUN_LINE.match(head) and len(head) < _LONGEST_LINE:
                self._begun = head
            else:
                self._hand_over(data[at:])
            return -1
        size = int(line[1], 16)
        if size < _LARGE_CHUNK_BYTES:
            self._small_left -= 1
            if not size or self._small_left < 0:
                self._hand_over(data[at:])
                return -1
        at += line.end() - len(self._begun)
        self._begun = b""
        self._line = _LINE
        self._chunk_left = size
        return at

    def _hand_over(self, rest: memoryview) -> None:
        """Let llhttp read on from the boundary between two chunks."""
        begun = self._begun + bytes(rest)
        if self._line is _LINE:
            if not begun.startswith(b"\r\n"):
                raise httptools.HttpParserError("a chunk is longer than its size says")
            begun = begun[2:]
        parser = httptools.HttpResponseParser(self._sink)
        parser.feed_data(_CHUNKED_HEADER)
        self._parsed = ParsedBody(self._sink, parser)
        self._parsed.feed(memoryview(begun))
