"""One request and its response: the only place where the instants of a request are stamped."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from time import monotonic_ns
from typing import ClassVar, Protocol

import httptools
import xxhash

from results.records import MISSING, REQUEST_STRUCT, Outcome
from scenarios.arrival import Arrival
from scenarios.body import BodyReader, ChunkedBody, SizedBody
from scenarios.decoding import Decoder, DecodingError, decoder_of
from scenarios.rows import RowFinder, row_finder

NEVER_NS = sys.maxsize
_HEADERS_END = b"\r\n\r\n"


class _Hash(Protocol):
    def update(self, content: bytes | memoryview, /) -> None: ...
    def intdigest(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Expected:
    """What verify learned of a response, its content encoding undone.

    ``digest`` (xxh3_64) is None where the suite relaxes it.
    """

    status: int
    body_bytes: int
    digest: int | None


@dataclass(slots=True)
class Window:
    """The measured part of a trial, CLOCK_MONOTONIC ns. Bytes are counted at both edges."""

    open_ns: int
    close_ns: int


class Exchange:
    """Is told what arrives (`arrived`, `ended`) and stamps when; httptools calls its ``on_*`` methods.

    Instants are CLOCK_MONOTONIC ns: the kernel's stamp of the arrival where it gives one, else right after
    the read that brought the bytes. One that did not happen is MISSING.

    ``body_bytes`` and `digest` are those of the content: gzip, deflate, br and zstd are undone, since a
    compressor that is flushed at other instants sends other bytes for the same content.
    """

    __slots__ = (
        "_arrival",
        "_body",
        "_decoder",
        "_edge_ns",
        "_hash",
        "_last_read_ns",
        "_marker",
        "_method",
        "_now_ns",
        "_parser",
        "_rows",
        "_type",
        "_window",
        "body_bytes",
        "bytes_at_close",
        "bytes_at_open",
        "chunked",
        "client_lag_ns",
        "close_delimited",
        "complete",
        "connected_ns",
        "connection",
        "encoding",
        "error",
        "first_body_ns",
        "first_row_ns",
        "headers_ns",
        "intended_ns",
        "keep_alive",
        "last_ns",
        "late_ns",
        "length",
        "outcome",
        "reads",
        "sent_ns",
        "stall_max_ns",
        "stamp_error_ns",
        "status",
    )

    #: Whether the bound of each read's stamp is wanted, and not only of those until the body has begun.
    BOUNDED: ClassVar[bool] = False

    def __init__(self, method: str, window: Window, marker: str | None = None) -> None:
        self._method = method
        self._window = window
        self._marker = marker
        self._parser: httptools.HttpResponseParser | None = None
        self._body: BodyReader | None = None
        self._rows: RowFinder | None = None
        self._decoder: Decoder | None = None
        self._hash: _Hash = xxhash.xxh3_64()
        self._type = self.encoding = ""
        self._arrival: Arrival
        self._now_ns = 0
        self._last_read_ns = 0
        self._edge_ns = window.open_ns
        self.connection = self.intended_ns = self.late_ns = self.connected_ns = self.sent_ns = MISSING
        self.headers_ns = self.first_body_ns = self.first_row_ns = self.last_ns = MISSING
        self.stall_max_ns = self.client_lag_ns = self.stamp_error_ns = MISSING
        self.status = MISSING
        self.body_bytes = 0
        self.bytes_at_open = MISSING
        self.bytes_at_close = MISSING
        self.reads = 0
        self.length: int | None = None
        self.chunked = self.close_delimited = self.complete = self.keep_alive = False
        self.outcome = Outcome.UNFINISHED
        self.error = ""

    @property
    def answered(self) -> bool:
        """Whether anything of the response has arrived."""
        return self.reads > 0

    @property
    def framing(self) -> str:
        """How the end of the body is marked: ``chunked``, ``length`` or ``close``."""
        if self.chunked:
            return "chunked"
        return "length" if self.length is not None or self._bodiless() else "close"

    def digest(self) -> int:
        """xxh3_64 of the content that arrived so far."""
        return self._hash.intdigest()

    def sending(self, parser: httptools.HttpResponseParser) -> None:
        """The request is about to be written; ``parser`` is the one that reads its connection."""
        self._parser = parser
        self.sent_ns = monotonic_ns()

    def arrived_bounded(self, data: memoryview, arrival: Arrival) -> None:
        """A read brought these bytes, and the bound of its stamp is known; raises as `arrived` does."""
        self._arrival = arrival
        self.arrived(data, arrival.at_ns)

    def arrived(self, data: memoryview, at_ns: int) -> None:
        """A read brought these bytes, which arrived at ``at_ns``.

        Raises httptools.HttpParserError for a malformed response.
        """
        self._now_ns = at_ns
        self.reads += 1
        if at_ns >= self._edge_ns:
            self._cross_edges(at_ns)
        if self.first_body_ns != MISSING and at_ns - self._last_read_ns > self.stall_max_ns:
            self.stall_max_ns = at_ns - self._last_read_ns
        self._last_read_ns = at_ns
        if self._body is not None:
            self._body.feed(data)
        elif self.reads == 1:
            self._begin(data)
        else:
            assert self._parser is not None  # noqa: S101  - `sending` came first
            self._parser.feed_data(data)

    def _begin(self, data: memoryview) -> None:
        """The first read of a response: where it holds all headers, the body's reader is chosen."""
        assert self._parser is not None  # noqa: S101  - `sending` came first
        end = bytes(data).find(_HEADERS_END)
        if end < 0:
            self._parser.feed_data(data)
            return
        end += len(_HEADERS_END)
        self._parser.feed_data(data[:end])
        if self.headers_ns != MISSING and not self.complete:
            self._body = self._body_reader()
        rest = data[end:]
        if rest and self._body is not None:
            self._body.feed(rest)
        elif rest:
            self._parser.feed_data(rest)

    def _body_reader(self) -> BodyReader | None:
        """Who reads the body that begins now; None leaves it to the parser."""
        if self.chunked:
            return ChunkedBody(self)
        return SizedBody(self, self.length) if self.length else None

    def ended(self) -> None:
        """The server has closed its side: right for a body that only this delimits, else too soon."""
        now = monotonic_ns()
        if now >= self._edge_ns:
            self._cross_edges(now)
        if self.headers_ns != MISSING and self.framing == "close":
            self.complete = self.close_delimited = True
            self.last_ns = now
            self._check_end()
        elif self.headers_ns == MISSING:
            self.fail(Outcome.TRUNCATED, "the connection was closed before the headers' end")
        else:
            self.fail(
                Outcome.TRUNCATED,
                f"the connection was closed after {self.body_bytes:,} bytes of body, too soon",
            )

    def judge(self, expected: Expected) -> None:
        """Decide whether a complete response counts: only one with the right status and bytes does."""
        if self.error or not self.complete:
            return  # `fail` has said how
        if self.status != expected.status:
            self.fail(Outcome.WRONG_STATUS, f"status {self.status} instead of {expected.status}")
        elif self.body_bytes != expected.body_bytes:
            self.fail(
                Outcome.WRONG_LENGTH,
                f"{self.body_bytes:,} bytes of body instead of {expected.body_bytes:,}",
            )
        elif expected.digest is not None and self.digest() != expected.digest:
            self.fail(
                Outcome.WRONG_BYTES,
                "the body's bytes are not the ones that verify saw; if the page changes by itself, set "
                'check = "length" in its target',
            )
        else:
            self.outcome = Outcome.VERIFIED

    def fail(self, outcome: Outcome, error: str) -> None:
        """The exchange does not count, for this reason."""
        self.outcome = outcome
        self.error = error

    def release(self) -> None:
        """Let go of what holds on to this object: no cycle is left to collect."""
        self._parser = self._body = None

    def pack(self, user: int) -> bytes:
        """The request's record (results.records.REQUEST_FIELDS)."""
        at_open = self.body_bytes if self.bytes_at_open == MISSING else self.bytes_at_open
        at_close = self.body_bytes if self.bytes_at_close == MISSING else self.bytes_at_close
        return REQUEST_STRUCT.pack(
            user,
            self.connection,
            self.intended_ns,
            self.late_ns,
            self.connected_ns,
            self.sent_ns,
            self.headers_ns,
            self.first_body_ns,
            self.first_row_ns,
            self.last_ns,
            self.stall_max_ns,
            self.client_lag_ns,
            self.stamp_error_ns,
            self.status,
            self.body_bytes,
            at_open,
            at_close,
            self.reads,
            self.close_delimited,
            self.outcome,
        )

    def _cross_edges(self, now: int) -> None:
        """Keep the byte count from before this read as the count at each edge that has passed."""
        if self.bytes_at_open == MISSING and now >= self._window.open_ns:
            self.bytes_at_open = self.body_bytes
            self._edge_ns = self._window.close_ns
        if now >= self._window.close_ns:
            self.bytes_at_close = self.body_bytes
            self._edge_ns = NEVER_NS

    def _bodiless(self) -> bool:
        """Responses that have no body whatever their headers say (RFC 9112, 6.3)."""
        return self._method == "HEAD" or self.status in {204, 304}

    # --- called by httptools, within `arrived` ---

    def on_message_begin(self) -> None:
        """The first byte of a message; after the end of ours nobody asked for another."""
        if self.complete:
            self.fail(Outcome.MALFORMED, "the server sent more than its response")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header line, or one trailer line, which says nothing about the message's framing."""
        if self.headers_ns != MISSING:
            return
        match name.lower():
            case b"content-type":
                self._type = value.decode("latin-1").lower()
            case b"content-encoding":
                self.encoding = value.decode("latin-1").strip().lower()
            case b"content-length":
                # llhttp refuses a length that is no number before it calls us.
                self.length = int(value)
            case b"transfer-encoding":
                self.chunked = b"chunked" in value.lower()

    def on_headers_complete(self) -> None:
        """The header block is complete."""
        assert self._parser is not None  # noqa: S101  - only `arrived` feeds the parser
        if self.headers_ns != MISSING:
            return  # a second parser was brought into the first one's state
        self.status = self._parser.get_status_code()
        if self.status < 200:
            return
        self.headers_ns = self._now_ns
        self.keep_alive = self._parser.should_keep_alive()
        self._choose_readers()
        if self._method == "HEAD":
            # The parser does not know that the request was HEAD and would wait for a body.
            self.complete = True
            self.last_ns = self._now_ns

    def on_body(self, body: bytes | memoryview) -> None:
        """Some bytes of the body (undone of chunking, not of content encoding); a view is not to be kept."""
        if self.first_body_ns == MISSING:
            self.first_body_ns = self._now_ns
            self.client_lag_ns = self._arrival.lag_ns
            self.stamp_error_ns = self._arrival.error_ns
        if self._decoder is not None:
            body = self._decoded(self._decoder, body)
        self.body_bytes += len(body)
        self._hash.update(body)
        if self._rows is not None and self._rows.feed(body):
            self.first_row_ns = self._now_ns
            self._rows = None

    def _choose_readers(self) -> None:
        """What undoes the content's encoding, and what finds its rows; a foreign encoding has none."""
        try:
            self._decoder = decoder_of(self.encoding)
        except DecodingError as error:
            self.fail(Outcome.MALFORMED, str(error))
        if self._decoder is not None or self.encoding in {"", "identity"}:
            self._rows = row_finder(self._type, self._marker)

    def _decoded(self, decoder: Decoder, body: bytes | memoryview) -> bytes:
        """The content that can be read with this piece; nothing more after the first mistake."""
        if self.error:
            return b""
        try:
            return decoder.decode(body)
        except DecodingError as error:
            self.fail(Outcome.MALFORMED, f"the content is encoded as {self.encoding}, and it is {error}")
            return b""

    def _check_end(self) -> None:
        """An encoded content has an end of its own, which must be there."""
        begun = self.first_body_ns != MISSING
        if self._decoder is not None and begun and not self.error and not self._decoder.finished:
            self.fail(Outcome.TRUNCATED, f"the body is complete, and its {self.encoding} content has no end")

    def on_message_complete(self) -> None:
        """The parser has seen the end of the message."""
        if self.status < 200:  # an interim response (RFC 9110, 15.2): the real one follows
            self.status = MISSING
            self.length = None
            self.chunked = False
            self._type = self.encoding = ""
            return
        self.complete = True
        self.last_ns = self._now_ns
        self._check_end()


MALFORMED = (httptools.HttpParserError,)
