"""Finding the first complete server-sent event in a body that arrives in pieces."""

from __future__ import annotations

import re

_LINE_END = re.compile(rb"\r\n?|\n")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: What of a line tells whether it is one of data, and not of a longer name.
_TOLD_BY_BYTES = len(_BYTE_ORDER_MARK) + len(b"data:")


class EventRowFinder:
    """The blank line behind the first line of data (WHATWG HTML, 9.2.5 and 9.2.6).

    Lines end with CR LF, LF or CR; a CR ends its line at once, as it does for a browser, and an LF right
    behind it belongs to it. Blocks of comments only, as they keep a connection alive, or with a ``retry``, an
    ``id`` or an ``event`` but no data, are no event.
    """

    __slots__ = ("_after_cr", "_data", "_first", "_line")

    def __init__(self) -> None:
        self._line = b""
        self._first = True
        self._after_cr = self._data = False

    def feed(self, content: bytes | memoryview) -> bool:
        """Whether the first row is complete with this piece."""
        piece = bytes(content)
        if not piece:
            return False
        at = 1 if self._after_cr and piece.startswith(b"\n") else 0
        self._after_cr = piece.endswith(b"\r")
        for end in _LINE_END.finditer(piece, at):
            self._grow(piece, at, end.start())
            at = end.end()
            if self._ends_event():
                return True
        self._grow(piece, at, len(piece))
        return False

    def _grow(self, piece: bytes, start: int, end: int) -> None:
        """More of a line; only as much is kept of it as tells its kind."""
        self._line += piece[start : min(end, start + _TOLD_BY_BYTES - len(self._line))]

    def _ends_event(self) -> bool:
        """Whether the line that ends here is the blank one behind data."""
        # A stream may begin with the mark, which is no part of its first line.
        line = self._line.removeprefix(_BYTE_ORDER_MARK) if self._first else self._line
        self._line = b""
        self._first = False
        self._data = self._data or line == b"data" or line.startswith(b"data:")
        return self._data and not line
