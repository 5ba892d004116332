"""A reply as the steps that the server takes: what to send, after which wait, completing what."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING

from .clock import nanoseconds
from .content import body_size, encoded_chunks, first_row_end, flipped_chunks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .reply import Reply
    from .truth import Action, Instant

_INTERIM_FIELDS = {103: "Link: </style.css>; rel=preload\r\n"}


@dataclass(frozen=True, slots=True)
class Step:
    """One act on the connection, `wait_ns` after the one before it began."""

    action: Action
    data: bytes = b""
    wait_ns: int = 0
    body_bytes: int = 0
    content_bytes: int = 0
    completes: tuple[Instant, ...] = ()

    def joined(self, other: Step) -> Step:
        """This step with the other's bytes in the same send."""
        return replace(
            self,
            data=self.data + other.data,
            body_bytes=self.body_bytes + other.body_bytes,
            content_bytes=self.content_bytes + other.content_bytes,
            completes=self.completes + other.completes,
        )


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a reply depends on besides the path."""

    head: bool = False
    flipped: bool = False
    stalled: bool = False
    client_closes: bool = False


@lru_cache(maxsize=32)
def steps_of(reply: Reply, asked: Circumstances) -> tuple[Step, ...]:
    """All steps of the reply, the end of the connection included when it is the server's."""
    message = [*_head(reply, asked), *([] if _bodiless(reply, asked) else _body(reply, asked))]
    if reply.join_head:
        at = next(place for place, step in enumerate(message) if "headers" in step.completes)
        if message[at + 1 :] and message[at + 1].action == "send":
            message[at : at + 2] = [message[at].joined(message[at + 1])]
    if reply.surplus:
        data = (b"surplus!" * (reply.surplus // 8 + 1))[: reply.surplus]
        extra = Step("send", data, nanoseconds(reply.surplus_after_s))
        message[-1:] = [message[-1], extra] if extra.wait_ns else [message[-1].joined(extra)]
    return (*message, *_goodbye(reply, asked))


def refusal(why: str) -> tuple[Step, ...]:
    """The steps that answer a request which nobody can fulfil."""
    text = why.encode()
    head = f"HTTP/1.1 400 Bad Request\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
    sent = Step("send", head.encode() + text, 0, len(text), len(text), ("headers", "message"))
    return sent, Step("fin")


def _bodiless(reply: Reply, asked: Circumstances) -> bool:
    return asked.head or reply.bodiless


def _head(reply: Reply, asked: Circumstances) -> Iterator[Step]:
    for status in reply.interim:
        phrase = HTTPStatus(status).phrase
        text = f"HTTP/1.1 {status} {phrase}\r\n{_INTERIM_FIELDS.get(status, '')}\r\n"
        yield Step("send", text.encode(), completes=("interim",))
    size = body_size(reply)
    phrase = HTTPStatus(reply.status).phrase
    kept = reply.persistent and not asked.client_closes
    kind = {
        "csv": "text/csv",
        "page": "text/html",
        "ndjson": "application/x-ndjson",
        "events": "text/event-stream",
    }[reply.content]
    framing = {
        "chunked": "Transfer-Encoding: chunked\r\n",
        "length": f"Content-Length: {size}\r\n",
        "close": "",
    }[reply.framing]
    block = (
        f"HTTP/{reply.http} {reply.status} {phrase}\r\n"
        "Server: synthetic\r\n"
        f"Content-Type: {kind}; charset=utf-8\r\n"
        + (framing if reply.status != 204 else "")
        + ("Content-Encoding: gzip\r\n" if reply.gzip else "")
        + ("Trailer: X-Size\r\n" if reply.trailers else "")
        + (f"X-Padding: {'p' * reply.padding}\r\n" if reply.padding else "")
        + f"Connection: {'keep-alive' if kept else 'close'}\r\n\r\n"
    ).encode()
    wait = reply.headers_after_s
    if asked.stalled and reply.stall_chunk is None:
        wait += reply.stall_s
    whole = _bodiless(reply, asked) or (reply.framing == "length" and not size)
    completes: tuple[Instant, ...] = ("headers", "message") if whole else ("headers",)
    pieces = _pieces(block, reply.head_segment)
    for place, piece in enumerate(pieces):
        yield Step(
            "send",
            piece,
            nanoseconds(reply.segment_pace_s if place else wait),
            completes=completes if place == len(pieces) - 1 else (),
        )


def _body(reply: Reply, asked: Circumstances) -> list[Step]:
    steps = list(_chunks(reply, asked))
    if reply.framing == "length" and body_size(reply) and not reply.broken:
        last = max(place for place, step in enumerate(steps) if step.action == "send")
        steps[last] = replace(steps[last], completes=(*steps[last].completes, "message"))
    if reply.framing == "chunked" and not reply.broken:
        trailer = f"X-Size: {body_size(reply)}\r\n" if reply.trailers else ""
        data = f"0\r\n{trailer}\r\n".encode()
        end = Step("send", data, nanoseconds(reply.end_after_s), completes=("message",))
        if reply.join_end and steps and steps[-1].action == "send":
            steps[-1] = steps[-1].joined(end)
        else:
            steps.append(end)
    return steps


def _chunks(reply: Reply, asked: Circumstances) -> Iterator[Step]:
    """The framed chunks, each in its segments, up to the cut."""
    meter = _Meter(reply)
    total = body_size(reply)
    if reply.cut_at is not None and reply.cut_at >= total + (reply.framing == "chunked"):
        raise ValueError(f"cut_at={reply.cut_at} cuts nothing off a body of {total} bytes")
    chunks = flipped_chunks(reply) if asked.flipped else encoded_chunks(reply)
    start = 0
    for place, chunk in enumerate(chunks):
        wait = reply.pace_s if place else reply.body_after_s
        if asked.stalled and place == reply.stall_chunk:
            wait += reply.stall_s
        size = len(chunk)
        prefix, suffix = _frame(reply, size)
        cut = reply.cut_at is not None and start + size >= reply.cut_at
        if cut:
            size, suffix = (reply.cut_at or 0) - start, b""
            prefix = prefix if reply.cut_at else b""
        wire = prefix + chunk[:size] + suffix
        start += size
        if not wire:
            yield Step("pause", wait_ns=nanoseconds(wait))
        seen = 0
        for turn, piece in enumerate(_pieces(wire, reply.segment)):
            inside = _overlap(seen, seen + len(piece), len(prefix), len(prefix) + size)
            seen += len(piece)
            content, completes = meter.arrived(inside)
            pause = nanoseconds(reply.segment_pace_s if turn else wait)
            yield Step("send", piece, pause, inside, content, completes)
        if cut:
            return


def _goodbye(reply: Reply, asked: Circumstances) -> Iterator[Step]:
    """How the server ends the connection, when it does."""
    closes = not reply.persistent or asked.client_closes or reply.broken
    if closes or reply.reset:
        action: Action = "reset" if reply.reset else "fin"
        wait = reply.end_after_s if reply.framing != "chunked" or reply.broken else 0
        whole = reply.framing == "close" and not reply.reset and not reply.broken
        ends = whole and not _bodiless(reply, asked)
        yield Step(action, wait_ns=nanoseconds(wait), completes=("message",) if ends else ())
    elif reply.stale == "idle":
        yield Step("close", wait_ns=nanoseconds(reply.stale_after_s))


class _Meter:
    """Counts what a decoder has once some more body bytes have arrived."""

    def __init__(self, reply: Reply) -> None:
        self._body = b"".join(encoded_chunks(reply)) if reply.gzip else b""
        self._decoder = zlib.decompressobj(wbits=31) if reply.gzip else None
        self._row_end = first_row_end(reply)
        self._place = self._content = 0

    def arrived(self, size: int) -> tuple[int, tuple[Instant, ...]]:
        """The content bytes of the next `size` body bytes, and what they complete."""
        content = size
        if self._decoder:
            part = self._body[self._place : self._place + size]
            content = len(self._decoder.decompress(part))
        self._place += size
        before, self._content = self._content, self._content + content
        has_row = self._row_end is not None and before < self._row_end <= self._content
        return content, ("row",) if has_row else ()


def _frame(reply: Reply, size: int) -> tuple[bytes, bytes]:
    if reply.framing != "chunked" or not size:
        return b"", b""
    extension = ';kind=row;note="a;b"' if reply.extensions else ""
    return f"{size:x}{extension}\r\n".encode(), b"\r\n"


def _pieces(data: bytes, size: int) -> list[bytes]:
    step = size or max(len(data), 1)
    return [data[start : start + step] for start in range(0, len(data), step)]


def _overlap(start: int, stop: int, low: int, high: int) -> int:
    return max(0, min(stop, high) - max(start, low))
