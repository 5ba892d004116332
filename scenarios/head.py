"""Reading a response's header block, and the interim responses before it: strictly, and within a bound.

llhttp reads the header lines, and accepts no more of them than RFC 9112 does. Of a status line it does: other
protocols, other versions, control characters. And it passes over line ends before one.
"""

from __future__ import annotations

import contextlib
import re
from typing import Protocol

import httptools

from scenarios.body import MOST_SILENT_BYTES

HEAD_END = b"\r\n\r\n"
_USUAL = b"HTTP/1.1 200 OK\r\n"
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9][0-9][0-9])(?: [\t\x20-\x7e\x80-\xff]*)?\r\n")
_INTERIM = b"1"
_SWITCHING_PROTOCOLS = b"101"
_SHOWN_BYTES = 60


class HeadSink(Protocol):
    """Is told what the header block holds, with the names of httptools."""

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header line."""

    def on_headers_complete(self) -> None:
        """The header block is complete."""

    def on_interim(self, parser: httptools.HttpResponseParser) -> None:
        """It was that of an interim response (RFC 9110, 15.2): this one reads the next."""


def is_final(block: bytes) -> bool:
    """Whether these bytes begin as a final response does. False for what is none, or not known yet."""
    if block.startswith(_USUAL):
        return True
    line = _STATUS_LINE.match(block)
    return line is not None and not line[1].startswith(_INTERIM)


class Head:
    """Feeds llhttp with one header block after another, to the end of the final response's.

    All of them together may have MOST_SILENT_BYTES, and no more than these is kept. What begins with a whole
    one that `is_final` may as well be fed to ``parser`` at once.
    """

    __slots__ = ("_begun", "_left", "_parser", "_sink")

    def __init__(self, sink: HeadSink, parser: httptools.HttpResponseParser) -> None:
        self._sink = sink
        self._begun = b""
        self._left = MOST_SILENT_BYTES
        self._parser = parser

    def feed(self, data: memoryview) -> memoryview | None:
        """Some bytes of the response: what follows the final header block, null while that has no end.

        Raises httptools.HttpParserError for what is no valid header block, or too much of it.
        """
        while True:
            begun = self._begun
            block = begun + bytes(data)
            end = block.find(HEAD_END, max(len(begun) - len(HEAD_END) + 1, 0) if begun else 0)
            if (len(block) if end < 0 else end) > self._left:
                raise httptools.HttpParserError(
                    f"more than {MOST_SILENT_BYTES:,} bytes of headers, or of interim responses"
                )
            if end < 0:
                self._parser.feed_data(data)  # the sooner it finds a mistake, the better
                self._begun = block
                return None
            end += len(HEAD_END)
            size = end - len(begun)
            if self._takes_final(block, data[:size]):
                return data[size:]
            self._left -= end
            self._begun = b""
            data = data[size:]
            self._parser = httptools.HttpResponseParser(self._sink)
            self._sink.on_interim(self._parser)

    def _takes_final(self, block: bytes, last: memoryview) -> bool:
        """Whether this whole header block, whose ``last`` part llhttp has not seen, is the last one."""
        line = _STATUS_LINE.match(block)
        if line is not None and line[1] == _SWITCHING_PROTOCOLS:
            raise httptools.HttpParserError("the server changed the protocol, which nobody asked for")
        if line is None:
            with contextlib.suppress(httptools.HttpParserUpgrade):
                self._parser.feed_data(last)  # it may know better what is wrong
            raise httptools.HttpParserError(
                f"it begins with no status line of HTTP/1.0 or 1.1, but with {block[:_SHOWN_BYTES]!r}"
            )
        self._parser.feed_data(last)
        return not line[1].startswith(_INTERIM)
