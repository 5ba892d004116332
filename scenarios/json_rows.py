"""Finding the first complete JSON text of a body that holds one after another, and arrives in pieces."""

from __future__ import annotations

import re

_LINE_END = b"\n"
#: JSON's own white space (RFC 8259, 2).
_BLANKS = b" \t\r\n"


class JsonLineRowFinder:
    """The end of the first line that is not blank: there is no header (NDJSON 1.0, JSON Lines)."""

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun = False

    def feed(self, content: bytes | memoryview) -> bool:
        """Whether the first row is complete with this piece."""
        *ended, rest = bytes(content).split(_LINE_END)
        for line in ended:
            if self._begun or line.strip(_BLANKS):
                return True
        self._begun = self._begun or bool(rest.strip(_BLANKS))
        return False


_RECORD_SEPARATOR = b"\x1e"
_MARK = re.compile(rb'[\x1e\n"\\\[\]{}]')
_DEPTHS = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}


class JsonSequenceRowFinder:
    """The line end behind the first JSON text that follows a record separator (RFC 7464, 2.2).

    A text may itself be written over several lines: only a line end outside of all brackets is its end, as
    inside of a string there is none. A separator before that end means that the text before it was cut off,
    and begins another (2.3).
    """

    __slots__ = ("_begun", "_depth", "_escaped", "_in_sequence", "_quoted")

    def __init__(self) -> None:
        self._in_sequence = False
        self._begin()

    def _begin(self) -> None:
        self._begun = self._quoted = self._escaped = False
        self._depth = 0

    def feed(self, content: bytes | memoryview) -> bool:
        """Whether the first row is complete with this piece."""
        piece = bytes(content)
        at = 0
        while True:
            if self._escaped and at < len(piece):
                self._escaped = False
                at += not piece.startswith(_RECORD_SEPARATOR, at)
            match = _MARK.search(piece, at)
            between = piece[at : match.start() if match else len(piece)]
            self._begun = self._begun or bool(between.strip(_BLANKS))
            if match is None:
                return False
            at = match.end()
            if self._ends_with(match[0]):
                return True

    def _ends_with(self, mark: bytes) -> bool:
        """Whether the text is complete with this byte."""
        if mark == _RECORD_SEPARATOR:
            self._begin()
            self._in_sequence = True
        elif self._quoted:
            self._quoted = mark != b'"'
            self._escaped = mark == b"\\"
        elif mark == _LINE_END:
            return self._in_sequence and self._begun and self._depth <= 0
        else:
            self._begun = True
            self._quoted = mark == b'"'
            self._depth += _DEPTHS.get(mark, 0)
        return False
