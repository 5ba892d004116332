"""Finding the first complete data row in a body that arrives in pieces."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
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


def row_finder(content_type: str, marker: str | None) -> RowFinder | None:
    """The finder for content of this type, None where no row can be told.

    ``marker`` is the suite's own and goes before what the content type says.
    """
    if marker is not None:
        return MarkerRowFinder(marker.encode())
    found = _finder_of(content_type)
    return None if found is None else found()


@lru_cache(maxsize=64)
def _finder_of(content_type: str) -> Callable[[], RowFinder] | None:
    media_type = content_type.partition(";")[0].strip()
    if media_type in _FINDERS:
        return _FINDERS[media_type]
    return JsonSequenceRowFinder if media_type.endswith(_SEQUENCE_SUFFIX) else None
