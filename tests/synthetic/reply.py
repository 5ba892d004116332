"""What a test asks of the synthetic server: one reply, written as a path and read back from it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

Framing = Literal["chunked", "length", "close"]
Stale = Literal["no", "idle", "next"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One reply; every default is the dull case: 200, one chunk, no delay, kept alive.

    Each wait is counted from just before the previous send (the first one: from the instant
    at which the request was received), and is never shorter than asked. `at` counts the
    requests of the same path since the last reset, from 1.
    """

    name: str = "stream"  # the path's first part: two names count separately
    status: int = 200
    http: Literal["1.1", "1.0"] = "1.1"
    framing: Framing = "chunked"
    keep_alive: bool | None = None  # None: as the version and the framing have it

    content: Literal["csv", "page", "ndjson", "events"] = "csv"
    seed: int = 1
    chunks: tuple[int, ...] = (4096,)  # content bytes of each yield; 0 is an empty yield
    repeat: int = 1  # the chunks that many times over
    eol: Literal["crlf", "lf"] = "crlf"
    quoted: bool = False  # newlines, commas and quotes inside the header's and first row's fields
    gzip: bool = False  # flushed at each chunk

    headers_after_s: float = 0
    body_after_s: float = 0  # headers to first chunk
    pace_s: float = 0  # chunk to chunk
    end_after_s: float = 0  # last chunk to the terminating chunk, or to the FIN
    stall_s: float = 0
    stall_at: int | None = None  # None: at every request
    stall_chunk: int | None = None  # before this chunk, from 0; None: before the headers

    interim: tuple[int, ...] = ()  # 1xx responses, sent at once
    padding: int = 0  # extra bytes in the header block
    trailers: bool = False
    extensions: bool = False  # on each chunk
    join_head: bool = False  # headers and first chunk in one send
    join_end: bool = False  # last chunk and terminating chunk in one send
    head_segment: int = 0  # bytes of the header block for each send; 0: all at once
    segment: int = 0  # the same for each framed chunk
    segment_pace_s: float = 0

    cut_at: int | None = None  # the connection ends after this many body bytes
    unterminated: bool = False  # every chunk whole, but no terminating one
    reset: bool = False  # the connection ends with a RST in place of the FIN
    surplus: int = 0  # bytes past the end of the message
    surplus_after_s: float = 0  # 0: in the same send as the end
    flip_at: int | None = None
    flip_offset: int | None = None  # None: the middle of the body
    silent: bool = False  # the request is read and never answered
    stale: Stale = "no"  # keep-alive is promised, but the connection closes: idle, or at the next
    stale_after_s: float = 0

    def __post_init__(self) -> None:
        for wrong, why in (
            (self.http == "1.0" and self.framing == "chunked", "HTTP/1.0 knows no chunked coding"),
            (min(self.chunks, default=0) < 0, "chunks below 0"),
            (self.repeat < 1, "repeat below 1"),
            (self.framing == "close" and self.keep_alive, "close-delimited, yet kept alive"),
            (self.framing == "close" and self.surplus, "a close-delimited body has no surplus"),
            (self.framing != "chunked" and self.unterminated, "only chunked has a terminator"),
            (self.framing != "chunked" and self.trailers, "only chunked has trailers"),
            (self.framing != "chunked" and self.extensions, "only chunked has extensions"),
            (self.join_head and (self.head_segment or self.segment), "join_head with segments"),
            (self.join_end and self.segment, "join_end with segments"),
            (self.broken and self.surplus, "a broken body has no surplus"),
            (self.stale != "no" and not self.persistent, "stale without keep-alive"),
            (
                self.stall_chunk is not None and self.stall_chunk not in range(len(self.yields)),
                "stall_chunk names no chunk",
            ),
        ):
            if wrong:
                raise ValueError(f"contradiction in the reply asked for: {why}")

    @property
    def yields(self) -> tuple[int, ...]:
        """Content bytes of every chunk, in order."""
        return self.chunks * self.repeat

    @property
    def broken(self) -> bool:
        """The message never becomes complete (a close-delimited one only looks complete)."""
        return self.cut_at is not None or self.unterminated

    @property
    def persistent(self) -> bool:
        """The connection is promised to stay open."""
        by_default = self.http == "1.1" and self.framing != "close"
        return by_default if self.keep_alive is None else self.keep_alive

    @property
    def bodiless(self) -> bool:
        """The status forbids a body, whatever the header fields say."""
        return self.status in {204, 304}

    def path(self) -> str:
        """The request target that asks for this reply."""
        query = {
            field.name: _write(value)
            for field in fields(self)
            if (value := getattr(self, field.name)) != field.default and field.name != "name"
        }
        return f"/{quote(self.name)}" + (f"?{urlencode(query, safe=',')}" if query else "")

    @classmethod
    def from_path(cls, path: str) -> Reply:
        """Read a request target; raises ValueError when it asks for what there is not."""
        split = urlsplit(path)
        asked: dict[str, Any] = {"name": unquote(split.path.lstrip("/")) or "stream"}
        for key, text in parse_qsl(split.query, keep_blank_values=True):
            if key not in _hints():
                raise ValueError(f"no such behaviour: {key}")
            asked[key] = _read(_hints()[key], text)
        return cls(**asked)


@cache
def _hints() -> dict[str, Any]:
    return get_type_hints(Reply)


def _write(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _read(hint: Any, text: str) -> object:
    """The value of a query's text, by the field's type."""
    if get_origin(hint) is Literal:
        if text not in get_args(hint):
            raise ValueError(f"{text!r} is none of {', '.join(get_args(hint))}")
        return text
    if get_origin(hint) is tuple:
        return tuple(int(part) for part in text.split(",") if part)
    kind = next(part for part in (*get_args(hint), hint) if part is not NoneType)
    if kind is bool:
        if text not in {"True", "False"}:
            raise ValueError(f"{text!r} is neither True nor False")
        return text == "True"
    value: object = kind(text)
    return value
