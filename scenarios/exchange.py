"""One request and its response: the only place where the instants of a request are stamped."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from time import monotonic_ns
from typing import ClassVar, Protocol

import httptools
import xxhash

from results.records import MISSING, REQUEST_STRUCT, Outcome
from scenarios.arrival import Arrival
from scenarios.body import BodyReader, ChunkedBody, OpenBody, SizedBody
from scenarios.decoding import Decoder, DecodingError, decoder_of
from scenarios.expected import Expected
from scenarios.head import HEAD_END, Head, is_final
from scenarios.rows import RowFinder, row_finder

NEVER_NS = sys.maxsize
_HEADERS_READ = frozenset({b"content-type", b"content-encoding", b"content-length", b"transfer-encoding"})
UNASKED = (
    "bytes of it came before it was asked for: the server sends what nobody asked for, or the system clock "
    "was stepped"
)
#: No content encoding that is known has so long a name.
_LONGEST_ENCODING = 100


class _Hash(Protocol):
    def update(self, content: bytes | memoryview, /) -> None: ...
    def intdigest(self) -> int: ...


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

    What a response can make it hold is bounded by `Head`, `ParsedBody` and `decoding`. One of more than
    ``most_bytes`` of content fails as soon as there are more, and what is compressed fails when it is not
    undone by ``deadline_ns`` (CLOCK_MONOTONIC).
    """

    __slots__ = (
        "_arrival",
        "_body",
        "_decoder",
        "_edge_ns",
        "_hash",
        "_head",
        "_last_read_ns",
        "_marker",
        "_method",
        "_most_bytes",
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
        "deadline_ns",
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
        "silent_bytes",
        "stall_max_ns",
        "stamp_error_ns",
        "status",
    )

    #: Whether the bound of each read's stamp is wanted, and not only of those until the body has begun.
    BOUNDED: ClassVar[bool] = False

    def __init__(
        self, method: str, window: Window, marker: str | None = None, most_bytes: int = sys.maxsize
    ) -> None:
        self._method = method
        self._window = window
        self._marker = marker
        self._most_bytes = most_bytes
        self._parser: httptools.HttpResponseParser | None = None
        self._head: Head | None = None
        self._body: BodyReader | None = None
        self._rows: RowFinder | None = None
        self._decoder: Decoder | None = None
        self._hash: _Hash = xxhash.xxh3_64()
        self._type = self.encoding = ""
        self._arrival: Arrival
        self._now_ns = 0
        self._last_read_ns = 0
        self._edge_ns = window.open_ns
        self.deadline_ns = NEVER_NS
        self.silent_bytes = 0
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

    def sending(self) -> None:
        """The request is about to be written."""
        self._parser = httptools.HttpResponseParser(self)
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
        if at_ns < self.sent_ns:
            self.fail(Outcome.MALFORMED, UNASKED)
            return
        if at_ns >= self._edge_ns:
            self._cross_edges(at_ns)
        if self.first_body_ns != MISSING and at_ns - self._last_read_ns > self.stall_max_ns:
            self.stall_max_ns = at_ns - self._last_read_ns
        self._last_read_ns = at_ns
        if self._body is not None:
            self._body.feed(data)
            return
        rest = self._after_head(data)
        if rest is None or self.error:
            return
        if self.complete:
            if rest:
                self.on_message_begin()
            return
        self._body = self._body_reader()
        if rest:
            self._body.feed(rest)

    def _after_head(self, data: memoryview) -> memoryview | None:
        """What follows the header block, null while that is not complete; mostly it comes in one read."""
        assert self._parser is not None  # noqa: S101  - `sending` came first
        if self._head is None:
            block = bytes(data)
            end = block.find(HEAD_END)
            if end >= 0 and is_final(block):
                end += len(HEAD_END)
                self._parser.feed_data(block[:end])
                return data[end:]
            self._head = Head(self, self._parser)
        return self._head.feed(data)

    def _body_reader(self) -> BodyReader:
        """Who reads the body that begins now."""
        if self.chunked:
            return self._chunked_reader()
        return OpenBody(self) if self.length is None else SizedBody(self, self.length)

    def _chunked_reader(self) -> BodyReader:
        return ChunkedBody(self)

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
        # what is too long was left before its status could be looked at
        if (self.error or not self.complete) and self.outcome is not Outcome.WRONG_LENGTH:
            return  # `fail` has said how
        unlike = expected.unlike(self.status, self.body_bytes, self.digest)
        if self.error and (unlike is None or unlike[0] is not Outcome.WRONG_STATUS):
            return
        if unlike is None:
            self.outcome = Outcome.VERIFIED
        else:
            self.fail(*unlike)

    def fail(self, outcome: Outcome, error: str) -> None:
        """The exchange does not count, for this reason."""
        self.outcome = outcome
        self.error = error

    def release(self) -> None:
        """Let go of what holds on to this object: no cycle is left to collect."""
        self._parser = self._head = self._body = None

    def pack(self, user: int, worker: int = 0) -> bytes:
        """The request's record (results.records.REQUEST_FIELDS)."""
        at_open = self.body_bytes if self.bytes_at_open == MISSING else self.bytes_at_open
        at_close = self.body_bytes if self.bytes_at_close == MISSING else self.bytes_at_close
        return REQUEST_STRUCT.pack(
            worker,
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
        name = name.lower()
        if name not in _HEADERS_READ or self.headers_ns != MISSING:
            return
        match name:
            case b"content-type":
                self._type = value.decode("latin-1").lower()
            case b"content-encoding":
                # On several lines it is one list (RFC 9110, 5.3).
                told = f"{self.encoding}, " if self.encoding else ""
                self.encoding = f"{told}{value.decode('latin-1').strip().lower()}"[:_LONGEST_ENCODING]
            case b"content-length":
                # llhttp refuses a length that is no number before it calls us; zeros may go before it.
                self.length = int(value.strip().lstrip(b"0") or b"0")
            case b"transfer-encoding":
                self._transfer_encoded(value)

    def on_headers_complete(self) -> None:
        """The header block is complete."""
        assert self._parser is not None  # noqa: S101  - only `arrived` feeds it
        if self.headers_ns != MISSING:
            return  # a second parser was brought into the first one's state
        self.status = self._parser.get_status_code()
        if self.status < 200:
            return
        self.headers_ns = self._now_ns
        self.keep_alive = self._parser.should_keep_alive()
        if self.chunked and self._parser.get_http_version() == "1.0":
            self.fail(Outcome.MALFORMED, "a response of HTTP/1.0 has no Transfer-Encoding (RFC 9112, 6.1)")
        self._choose_readers()
        if self.length == 0 or self._bodiless():
            self.on_message_complete()

    def on_interim(self, parser: httptools.HttpResponseParser) -> None:
        """An interim response is through, whatever it said: ``parser`` reads the next one."""
        self._parser = parser
        self.status = MISSING
        self.length = None
        self.chunked = False
        self._type = self.encoding = ""

    def _transfer_encoded(self, value: bytes) -> None:
        """Only chunked is always understood; any other coding was to be asked for (RFC 9112, 7.4)."""
        if self.chunked or value.strip().lower() != b"chunked":
            shown = value[:_LONGEST_ENCODING].decode("latin-1")
            self.fail(Outcome.MALFORMED, f"its Transfer-Encoding is not just one chunked: {shown!r}")
        self.chunked = True

    def on_body(self, body: bytes | memoryview) -> None:
        """Some bytes of the body (undone of chunking, not of content encoding); a view is not to be kept."""
        if self.error:
            return  # the rest of a read in which it has failed
        self.silent_bytes = 0
        if self.first_body_ns == MISSING:
            self.first_body_ns = self._now_ns
            self.client_lag_ns = self._arrival.lag_ns
            self.stamp_error_ns = self._arrival.error_ns
        contents: Iterable[bytes | memoryview]
        contents = (body,) if self._decoder is None else self._decoded(self._decoder, body)
        for content in contents:
            self.body_bytes += len(content)
            self._hash.update(content)
            if self._rows is not None and self._rows.feed(content):
                self.first_row_ns = self._now_ns
                self._rows = None
            if self.body_bytes > self._most_bytes:
                self._too_long()
                return

    def _too_long(self) -> None:
        self.fail(Outcome.WRONG_LENGTH, f"more than {self._most_bytes:,} bytes of body, which it should have")

    def _choose_readers(self) -> None:
        """What undoes the content's encoding, and what finds its rows; a foreign encoding has none."""
        try:
            self._decoder = decoder_of(self.encoding)
        except DecodingError as error:
            self.fail(Outcome.MALFORMED, str(error))
        if self._decoder is not None or self.encoding in {"", "identity"}:
            self._rows = row_finder(self._type, self._marker)

    def _decoded(self, decoder: Decoder, body: bytes | memoryview) -> Iterator[bytes]:
        """The content that can be read with this piece."""
        try:
            for content in decoder.decode(body):
                yield content
                if monotonic_ns() > self.deadline_ns:
                    self.fail(Outcome.TIMED_OUT, f"its {self.encoding} content could not be undone in time")
                    return
        except DecodingError as error:
            self.fail(Outcome.MALFORMED, f"the content is encoded as {self.encoding}, and it is {error}")

    def _check_end(self) -> None:
        """An encoded content has an end of its own, which must be there."""
        begun = self.first_body_ns != MISSING
        if self._decoder is not None and begun and not self.error and not self._decoder.finished:
            self.fail(Outcome.TRUNCATED, f"the body is complete, and its {self.encoding} content has no end")

    def on_message_complete(self) -> None:
        """The end of the message."""
        if self.headers_ns == MISSING or self.complete or self.error:
            return
        self.complete = True
        self.last_ns = self._now_ns
        if self._decoder is not None:
            self._check_end()


MALFORMED = (httptools.HttpParserError,)
