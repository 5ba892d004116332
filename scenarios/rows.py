"""Finding the first complete data row in a body that arrives in pieces."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

from scenarios.event_rows import EventRowFinder
from scenarios.json_rows import JsonLineRowFinder, JsonSequenceRowFinder

_QUOTE_OR_END = re.compile(rb'["\n]')


class RowFinder(Protocol):
    """Is fed decoded content piece by piece until it has seen the first complete data row."""

    def feed(self, content: bytes | memoryview) -> bool:
        """Whether the first row is complete with this piece."""


class CsvRowFinder:
    """The record end after the header's; line breaks inside quotes end no record (RFC 4180, 2.6)."""

    __slots__ = ("_quoted", "_records")

    def __init__(self) -> None:
        self._quoted = False
        self._records = 0

    def feed(self, content: bytes | memoryview) -> bool:
        """Whether the first row is complete with this piece."""
        for match in _QUOTE_OR_END.finditer(content):
            # An escaped quote is two quotes: the state is back after the second.
            if match[0] == b'"':
                self._quoted = not self._quoted
            elif not self._quoted:
                self._records += 1
                if self._records == 2:
                    return True
        return False


class MarkerRowFinder:
    """Markers in order, each searched after the one before, across the borders of reads."""

    __slots__ = ("_markers", "_rest")

    def __init__(self, *markers: bytes) -> None:
        self._markers = list(markers)
        self._rest = b""

    def feed(self, content: bytes | memoryview) -> bool:
        """Whether the last marker is complete with this piece."""
        self._rest += content
        while self._markers:
            marker = self._markers[0]
            at = self._rest.find(marker)
            if at < 0:
                # A marker may have begun in the last bytes.
                keep = len(marker) - 1
                self._rest = self._rest[-keep:] if keep else b""
                return False
            self._rest = self._rest[at + len(marker) :]
            del self._markers[0]
        return True


#: The header of a zlib wrapper (RFC 1950, 2.2): once it is through, there was one.
_WRAPPER_BYTES = 2


class DecodingRowFinder:
    """Undoes gzip or deflate (RFC 1950, with or without its wrapper) before another finder looks."""

    __slots__ = ("_decoder", "_finder", "_format", "_undecided")

    def __init__(self, finder: RowFinder, encoding: str) -> None:
        self._finder = finder
        self._format = 16 + zlib.MAX_WBITS if encoding == "gzip" else zlib.MAX_WBITS
        self._decoder = zlib.decompressobj(self._format)
        #: What came so far of a deflate that may turn out to have no wrapper.
        self._undecided: bytes | None = b"" if encoding == "deflate" else None

    def feed(self, content: bytes | memoryview) -> bool:
        """Whether the first row is complete with this piece.

        Raises zlib.error when the content is not what its encoding says.
        """
        try:
            found = self._finder.feed(self._decoder.decompress(content))
        except zlib.error:
            if self._undecided is None:
                raise
            self._decoder = zlib.decompressobj(-zlib.MAX_WBITS)
            content, self._undecided = self._undecided + bytes(content), None
            return self._finder.feed(self._decoder.decompress(content))
        if self._undecided is not None:
            self._undecided += bytes(content)
            if len(self._undecided) > _WRAPPER_BYTES:
                self._undecided = None
        while not found and self._decoder.unused_data and self._format > zlib.MAX_WBITS:
            rest = self._decoder.unused_data  # the next member of a gzip (RFC 1952, 2.2)
            self._decoder = zlib.decompressobj(self._format)
            found = self._finder.feed(self._decoder.decompress(rest))
        return found


def _page_rows() -> RowFinder:
    return MarkerRowFinder(b"<tbody", b"</tr>")


#: By media type. Lines of JSON have no registered one, and several that are in use.
_FINDERS: Mapping[str, Callable[[], RowFinder]] = {
    "text/csv": CsvRowFinder,
    "text/html": _page_rows,
    "text/event-stream": EventRowFinder,
    "application/json-seq": JsonSequenceRowFinder,
    "application/x-ndjson": JsonLineRowFinder,
    "application/ndjson": JsonLineRowFinder,
    "application/jsonl": JsonLineRowFinder,
    "application/x-jsonl": JsonLineRowFinder,
    "application/jsonlines": JsonLineRowFinder,
    "application/x-jsonlines": JsonLineRowFinder,
}
#: What is a JSON text sequence too, whatever it is for (RFC 8091).
_SEQUENCE_SUFFIX = "+json-seq"


def row_finder(content_type: str, content_encoding: str, marker: str | None) -> RowFinder | None:
    """The finder for a response with these headers (lower case), None where no row can be told.

    ``marker`` is the suite's own and goes before what the content type says. Content in an encoding that
    is not undone here (br, zstd) has no first row.
    """
    media_type = content_type.partition(";")[0].strip()
    finder: RowFinder
    if marker is not None:
        finder = MarkerRowFinder(marker.encode())
    elif media_type in _FINDERS:
        finder = _FINDERS[media_type]()
    elif media_type.endswith(_SEQUENCE_SUFFIX):
        finder = JsonSequenceRowFinder()
    else:
        return None
    if content_encoding in {"gzip", "deflate"}:
        return DecodingRowFinder(finder, content_encoding)
    return finder if content_encoding in {"", "identity"} else None
