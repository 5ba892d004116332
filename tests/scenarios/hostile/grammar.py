"""Valid responses of every framing, and what is known to break each of them.

A `Message` is kept in its parts, so that a fault goes where it counts.
"""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from results.records import Outcome
from tests.scenarios.hostile.feeding import BODY

_HEAD_FAULTS = (b"\0", b"\x01", b"\x7f", b"\r", b"\n", b"\x0b", b"\x1b")
_LENGTHS = (
    b"+%d",
    b"-%d",
    b"0x%x",
    b"%d,%%d",
    b"%d %%d",
    b"%d;",
    b"%d.0",
    b"99999999999999999999%d",
    b"x%d",
    b"%dx",
)
_SIZES = (b"-%x", b"+%x", b"0x%x", b" %x", b"%x ", b"%xg", b"", b"g", b"1000000000000000%x", b"%x;\0", b"%x,")
_LINES = (
    b"X",
    b": a",
    b" X: a",
    b"X : a",
    b"X: \0",
    b"X(: a",
    b"\xff: a",
    b"X: a\r\n b",
    b"X: a\nY: b",
    b"\t",
)
_STATUSES = (
    *(b"HTTP/2 200 OK", b"HTTP/1.2 200 OK", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK", b"HTTP/1.1  200 OK"),
    *(b"HTTP/1.1200 OK", b"http/1.1 200 OK", b" HTTP/1.1 200 OK", b"HTTP/1.1 200 O\0K", b"ICY 200 OK", b""),
    *(b"HTTP/1.1 -20 OK", b"HTTP/1.1 101 OK", b"200 OK", b"GET / HTTP/1.1", b"\r\nHTTP/1.1 200 OK"),
)


@dataclass(frozen=True, slots=True)
class Message:
    """A response in its parts. ``pieces`` are its chunks, or the whole body as one."""

    interim: bytes
    status_line: bytes
    lines: tuple[bytes, ...]
    framing: str
    pieces: tuple[bytes, ...]
    extensions: tuple[bytes, ...]
    trailers: tuple[bytes, ...]

    def wire(self) -> bytes:
        """As it is sent."""
        head = b"".join(b"%b\r\n" % line for line in (self.status_line, *self._framed()))
        return self.interim + head + b"\r\n" + self.body()

    def _framed(self) -> Sequence[bytes]:
        match self.framing:
            case "chunked":
                return (*self.lines, b"Transfer-Encoding: chunked")
            case "length":
                return (*self.lines, b"Content-Length: %d" % sum(map(len, self.pieces)))
        return self.lines

    def body(self) -> bytes:
        """What stands behind the header block."""
        if self.framing != "chunked":
            return b"".join(self.pieces)
        chunks = zip(self.pieces, self.extensions, strict=True)
        sent = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), more, piece) for piece, more in chunks)
        return sent + b"0\r\n" + b"".join(b"%b\r\n" % line for line in self.trailers) + b"\r\n"


_FIELDS = st.lists(
    st.sampled_from(
        [
            b"Content-Type: text/csv",
            b"Server: x",
            b"X-Empty:",
            b"Date: now",
            b"X-Long: " + b"a" * 3000,
            b'ETag: "a"',
        ]
    ),
    max_size=4,
)
_INTERIM = st.sampled_from(
    [b"", b"", b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 E\r\nLink: a\r\n\r\n" * 2]
)


@st.composite
def messages(draw: st.DrawFn, framings: Sequence[str] = ("chunked", "length", "close")) -> Message:
    """A valid response whose content is BODY, compressed or not."""
    lines = draw(_FIELDS)
    content = BODY
    if draw(st.integers(0, 3)) == 0:
        content = gzip.compress(BODY)
        lines.append(b"Content-Encoding: gzip")
    framing = draw(st.sampled_from(framings))
    pieces = [content]
    if framing == "chunked":
        places = draw(st.lists(st.integers(1, len(content) - 1), max_size=8, unique=True).map(sorted))
        borders = [0, *places, len(content)]
        pieces = [content[start:stop] for start, stop in itertools.pairwise(borders)]
    extension = st.sampled_from([b"", b"", b"", b";a", b";a=b"])
    return Message(
        draw(_INTERIM),
        draw(st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.1 200 ", b"HTTP/1.1 200"])),
        tuple(lines),
        framing,
        tuple(pieces),
        tuple(draw(extension) for _ in pieces),
        tuple(draw(st.lists(st.just(b"X-Sum: 1"), max_size=2))) if framing == "chunked" else (),
    )


Draw = Callable[[st.SearchStrategy[int]], int]
Broken = tuple[bytes, Outcome]


def _placed(draw: Draw, items: Sequence[bytes], item: bytes) -> tuple[bytes, ...]:
    at = draw(st.integers(0, len(items)))
    return (*items[:at], item, *items[at:])


def _chosen(draw: Draw, items: Sequence[bytes]) -> bytes:
    return items[draw(st.integers(0, len(items) - 1))]


def _bad_status(draw: Draw, message: Message) -> Broken:
    return replace(message, status_line=_chosen(draw, _STATUSES)).wire(), Outcome.MALFORMED


def _bad_line(draw: Draw, message: Message) -> Broken:
    return replace(
        message, lines=_placed(draw, message.lines, _chosen(draw, _LINES))
    ).wire(), Outcome.MALFORMED


def _bad_byte_in_a_line(draw: Draw, message: Message) -> Broken:
    line = b"X-Line: some text"
    at = draw(st.integers(0, len(line) - 1))
    broken = line[:at] + _chosen(draw, _HEAD_FAULTS) + line[at:]
    return replace(message, lines=_placed(draw, message.lines, broken)).wire(), Outcome.MALFORMED


def _bad_length(draw: Draw, message: Message) -> Broken:
    said = _chosen(draw, _LENGTHS).replace(b"%%", b"%")
    size = sum(map(len, message.pieces))
    line = b"Content-Length: " + said.replace(b"%d", b"%d" % size).replace(b"%x", b"%x" % size)
    return replace(message, framing="close", lines=(*message.lines, line)).wire(), Outcome.MALFORMED


def _one_length_more(draw: Draw, message: Message) -> Broken:
    line = b"Content-Length: %d" % draw(st.sampled_from([sum(map(len, message.pieces)), 0, 5]))
    return replace(message, lines=_placed(draw, message.lines, line)).wire(), Outcome.MALFORMED


def _another_coding(draw: Draw, message: Message) -> Broken:
    codings = [b"gzip", b"identity", b"chunked", b"gzip, chunked", b"chunked, gzip", b"x"]
    line = b"Transfer-Encoding: " + _chosen(draw, codings)
    return replace(message, lines=_placed(draw, message.lines, line)).wire(), Outcome.MALFORMED


def _in_chunks(draw: Draw, message: Message, broken: Callable[[bytes], bytes]) -> bytes:
    """One of its chunks is what ``broken`` makes of what is in it."""
    at = draw(st.integers(0, len(message.pieces) - 1))
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in message.pieces]
    chunks[at] = broken(message.pieces[at])
    head = message.wire()[: -len(message.body())]
    return head + b"".join(chunks) + b"0\r\n\r\n"


def _bad_size(draw: Draw, message: Message) -> Broken:
    size = _chosen(draw, _SIZES)
    return (
        _in_chunks(
            draw, message, lambda piece: size.replace(b"%x", b"%x" % len(piece)) + b"\r\n" + piece + b"\r\n"
        ),
        Outcome.MALFORMED,
    )


def _bad_chunk_end(draw: Draw, message: Message) -> Broken:
    end = _chosen(draw, [b"\n", b"\r", b"", b"x\r\n", b"\n\r", b"\r\r\n", b" \r\n"])
    return _in_chunks(
        draw, message, lambda piece: b"%x\r\n%b%b" % (len(piece), piece, end)
    ), Outcome.MALFORMED


def _bad_trailer(draw: Draw, message: Message) -> Broken:
    trailers = _placed(draw, message.trailers, _chosen(draw, _LINES))
    return replace(message, trailers=trailers).wire(), Outcome.MALFORMED


def _cut_off(draw: Draw, message: Message) -> Broken:
    wire = message.wire()
    return wire[: draw(st.integers(0, len(wire) - 1))], Outcome.TRUNCATED


def _goes_on(draw: Draw, message: Message) -> Broken:
    return message.wire() + _chosen(draw, [b"x", b"\r\n", b"\0", b"\n", message.wire()]), Outcome.MALFORMED


def _other_bytes(draw: Draw, message: Message) -> Broken:
    at = draw(st.integers(0, len(BODY) - 1))
    content = BODY[:at] + bytes([BODY[at] ^ 1 << draw(st.integers(0, 7))]) + BODY[at + 1 :]
    return replace(plain(message), pieces=(content,)).wire(), Outcome.WRONG_BYTES


def _other_length(draw: Draw, message: Message) -> Broken:
    content = (BODY * 2)[: draw(st.integers(0, 2 * len(BODY)).filter(lambda size: size != len(BODY)))]
    pieces = (content,) if content or message.framing != "chunked" else ()
    return (
        replace(plain(message), pieces=pieces, extensions=(b"",) * len(pieces)).wire(),
        Outcome.WRONG_LENGTH,
    )


def plain(message: Message) -> Message:
    """The same, not compressed, in one piece."""
    lines = tuple(line for line in message.lines if b"Encoding" not in line)
    return replace(message, lines=lines, pieces=(BODY,), extensions=(b"",))


#: What breaks a message, and the framings that it breaks.
FAULTS: Mapping[Callable[[Draw, Message], Broken], Sequence[str]] = {
    _bad_status: ("chunked", "length", "close"),
    _bad_line: ("chunked", "length", "close"),
    _bad_byte_in_a_line: ("chunked", "length", "close"),
    _bad_length: ("length",),
    _one_length_more: ("chunked", "length"),
    _another_coding: ("chunked", "length"),
    _bad_size: ("chunked",),
    _bad_chunk_end: ("chunked",),
    _bad_trailer: ("chunked",),
    _cut_off: ("chunked", "length"),
    _goes_on: ("chunked", "length"),
    _other_bytes: ("chunked", "length", "close"),
    _other_length: ("chunked", "length", "close"),
}


@st.composite
def broken_responses(draw: st.DrawFn) -> tuple[str, bytes, Outcome]:
    """One of them: the fault's name, what is sent, what it is called."""
    fault = draw(st.sampled_from(list(FAULTS)))
    wire, outcome = fault(draw, draw(messages(FAULTS[fault])))
    return fault.__name__, wire, outcome


CUTS = st.lists(st.integers(0, 10**6), max_size=12)
