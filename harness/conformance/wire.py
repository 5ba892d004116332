"""One HTTP/1 response as it comes over the wire: every byte, and the instant at which it came.

Framing is that of RFC 9112, section 6.3; nothing here is a server's code, nor the timed client's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from results.errors import MeasurementError

_NO_BODY = frozenset({204, 304})
_STATUS_LINE = re.compile(r"(HTTP/1\.[0-9]) ([0-9]{3})(?: .*)?")
#: No answer of the apps that are asked has more, by far.
MOST_BYTES = 64 << 20
#: A header block with the interim responses before it, or one line between chunks.
MOST_HEAD_BYTES = 256 << 10
_HEXADECIMAL = re.compile(rb"[0-9A-Fa-f]{1,16}")
_DECIMAL = re.compile(r"[0-9]{1,19}")


class Framing(StrEnum):
    """What tells where a body ends."""

    CHUNKED = "chunked"
    LENGTH = "length"
    CLOSE = "close"
    NONE = "none"


class End(StrEnum):
    """How a response was left: its framing says that it is whole, the connection was closed or reset, or
    nothing more came.
    """

    WHOLE = "whole"
    CLOSED = "closed"
    RESET = "reset"
    QUIET = "quiet"


class NotHttp(MeasurementError):  # noqa: N818  - named for what it is
    """What came is no HTTP/1 response."""


class Response:
    """Takes bytes as they come. A HEAD has no body, whatever its head says; a client that asks with HTTP/1.0
    does not know chunks.

    ``body`` holds what came of it, decoded; ``arrivals`` for each read that brought some its instant
    (CLOCK_MONOTONIC ns) and the bytes of the body so far; ``surplus`` what came behind the end.
    ``connection`` says how the connection ended, null while it is open.

    It holds MOST_BYTES of body and surplus and MOST_HEAD_BYTES of anything else, and what one read brings
    beyond: what is more is NotHttp.
    """

    def __init__(self, method: str, version: str) -> None:
        self._method = method
        self._asked_version = version
        self._raw = bytearray()
        self._left: int | None = None  # of the body, or of a chunk with its line end
        self._head_left = MOST_HEAD_BYTES
        self._trailing = False
        self.status = 0
        self.version = ""
        self.fields: Mapping[str, str] = {}
        self.framing = Framing.NONE
        self.head_ns: int | None = None
        self.body = bytearray()
        self.arrivals: list[tuple[int, int]] = []
        self.surplus = bytearray()
        self.end = End.QUIET
        self.connection: End | None = None

    @property
    def whole(self) -> bool:
        """Whether a client takes it for complete: its framing says so, or it ends with the connection."""
        unread = self.framing is Framing.CHUNKED and self._asked_version == "1.0"
        by_close = self.head_ns is not None and (self.framing is Framing.CLOSE or unread)
        return self.end is End.WHOLE or (by_close and self.end is End.CLOSED)

    def feed(self, data: bytes, instant_ns: int) -> None:
        """Take in what one read brought. Raises NotHttp."""
        before = len(self.body)
        self._raw += data
        while self._step(instant_ns):
            pass
        if len(self.body) > before:
            self.arrivals.append((instant_ns, len(self.body)))
        if self.end is End.WHOLE:
            self.surplus += self._raw
            self._raw.clear()
        if len(self.body) + len(self.surplus) > MOST_BYTES:
            raise NotHttp(f"the server's answer has more than {MOST_BYTES:,} bytes and goes on")

    def close(self, end: End) -> None:
        """The connection has ended so; where the response was whole before, it stays so."""
        self.connection = end
        if self.end is not End.WHOLE:
            self.end = end

    def _step(self, instant_ns: int) -> bool:
        """One piece of the message; False where more bytes are needed, or none."""
        if self.head_ns is None:
            return self._head(instant_ns)
        if self.end is End.WHOLE or not self._raw:
            return False
        match self.framing:
            case Framing.CLOSE:
                self.body += self._raw
                self._raw.clear()
                return False
            case Framing.LENGTH:
                return self._sized()
            case Framing.CHUNKED:
                return self._chunk()
        return False

    def _head(self, instant_ns: int) -> bool:
        lines = self._until(b"\r\n\r\n")
        if lines is None:
            return False
        first, *rest = lines.decode("latin-1").split("\r\n")
        found = _STATUS_LINE.fullmatch(first)
        if found is None:
            raise NotHttp(f"the server's answer is no HTTP/1 response; it begins with {first[:80]!r}")
        if found[2].startswith("1"):
            self._head_left -= len(lines)
            return True  # an interim response: the final one follows
        self.version, self.status = found[1], int(found[2])
        self.fields = _fields(rest)
        self.head_ns = instant_ns
        self.framing = self._framing()
        if self.framing is Framing.NONE or self._left == 0:
            self.end = End.WHOLE
        return True

    def _framing(self) -> Framing:
        """RFC 9112, 6.3, for responses."""
        if self._method == "HEAD" or self.status in _NO_BODY:
            return Framing.NONE
        if codings := self.fields.get("transfer-encoding"):
            last = codings.rpartition(",")[2].strip().lower()
            return Framing.CHUNKED if last == "chunked" else Framing.CLOSE
        if "content-length" not in self.fields:
            return Framing.CLOSE
        self._left = _length(self.fields["content-length"])
        return Framing.LENGTH

    def _sized(self) -> bool:
        assert self._left is not None  # noqa: S101  - set with the framing
        self._left -= self._take_body(self._left)
        if self._left == 0:
            self.end = End.WHOLE
        return False

    def _chunk(self) -> bool:
        if self._trailing:
            line = self._until(b"\r\n")
            if line == b"":
                self.end = End.WHOLE
            return bool(line)
        if self._left is None:
            line = self._until(b"\r\n")
            if line is None:
                return False
            size = line.partition(b";")[0].strip()
            if not _HEXADECIMAL.fullmatch(size):
                raise NotHttp(f"a chunk of the server's answer begins with {bytes(line[:40])!r}")
            self._left = int(size, 16)
            self._trailing = self._left == 0
            return True
        if self._left > 0:
            self._left -= self._take_body(self._left)
            return self._left == 0
        ending = self._until(b"\r\n")
        if ending is None:
            return False
        if ending:
            raise NotHttp(f"a chunk of the server's answer is longer than it says: {bytes(ending[:40])!r}")
        self._left = None
        return True

    def _take_body(self, most: int) -> int:
        taken = self._raw[:most]
        del self._raw[:most]
        self.body += taken
        return len(taken)

    def _until(self, mark: bytes) -> bytes | None:
        at = self._raw.find(mark)
        if at < 0:
            if len(self._raw) > self._head_left:
                raise NotHttp(
                    f"the server's answer has more than {MOST_HEAD_BYTES:,} bytes of headers without an end"
                )
            return None
        found = bytes(self._raw[:at])
        del self._raw[: at + len(mark)]
        return found


def _fields(lines: Sequence[str]) -> dict[str, str]:
    """By their names in lower case; what is said on several lines is one list (RFC 9110, 5.3)."""
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        key = name.strip().lower()
        found[key] = f"{found[key]}, {value.strip()}" if key in found else value.strip()
    return found


def _length(text: str) -> int:
    """Of a Content-Length; the same number said several times is one (RFC 9112, 6.3). Raises NotHttp."""
    said = {item.strip() for item in text.split(",")}
    number = said.pop()
    if said or not _DECIMAL.fullmatch(number):
        raise NotHttp(f"the Content-Length of the server's answer is no length: {text[:40]!r}")
    return int(number)
