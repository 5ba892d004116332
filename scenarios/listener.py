"""Asks once, over HTTP or HTTPS, and keeps when each piece came: for the doctor, never for a figure.

A plain blocking socket, whose reads are stamped by this process: good to the tenth of a millisecond, where
the doctor judges in tens of milliseconds.
"""

from __future__ import annotations

import base64
import socket
import ssl
from dataclasses import dataclass
from time import monotonic_ns
from urllib.parse import SplitResult, quote, unquote, urlsplit

from results.records import MISSING, Outcome
from scenarios.arrival import Arrival
from scenarios.body import BodyReader, ParsedBody
from scenarios.exchange import MALFORMED, NEVER_NS, Exchange, Window

_CONNECT_S = 10.0
_PIECE_BYTES = 256 * 1024
#: So many reads and chunks are told at most, each; what comes in more is heard no longer.
_MOST_TOLD = 200_000
#: What a path or a query has as it is (RFC 3986, 3.3); all else is written as %XX of its UTF-8.
_PLAIN = "/?:@!$&'()*+,;=-._~%"


class NotHeard(Exception):  # noqa: N818  - named for what happened
    """Nobody answered; the message says why."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: a whole URL, and a request as it goes over the wire.

    ``addresses`` are the IP addresses of its host, by which it is asked; without any the host is looked up.
    """

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    row_marker: str | None = None
    longest_s: float = 10.0
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """One response. Instants are CLOCK_MONOTONIC ns, null where something did not happen.

    ``points`` are pairs: instant, bytes of the body so far. ``round_trip_ns`` is how long the connection
    took. ``chunk_bytes`` are the sizes of the wire's chunks. ``complete``: the message came to its end;
    ``failure`` says how it broke off, and is null too where ``longest_s`` was over first, or more came than
    is told. ``malformed``: it broke off because it is no valid HTTP/1 response.
    """

    status: int | None
    headers: tuple[tuple[str, str], ...]
    framing: str
    round_trip_ns: int
    sent_ns: int
    headers_ns: int | None
    first_row_ns: int | None
    last_ns: int
    points: tuple[tuple[int, int], ...]
    chunk_bytes: tuple[int, ...]
    complete: bool
    failure: str | None
    malformed: bool

    @property
    def body_bytes(self) -> int:
        """What came of the body (wire bytes)."""
        return self.points[-1][1] if self.points else 0

    def header(self, name: str) -> str | None:
        """The value of the first header of this name, null without one."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class _HeardExchange(Exchange):
    """Also keeps headers, chunks and reads."""

    __slots__ = ("_chunk", "chunk_bytes", "given", "points")

    def __init__(self, method: str, marker: str | None) -> None:
        super().__init__(method, Window(NEVER_NS, NEVER_NS), marker)
        self.given: list[tuple[str, str]] = []
        self.points: list[tuple[int, int]] = []
        self.chunk_bytes: list[int] = []
        self._chunk = 0

    def _chunked_reader(self) -> BodyReader:
        """The parser reads: it alone tells where each chunk ends."""
        assert self._parser is not None  # noqa: S101  - it has read the headers
        return ParsedBody(self, self._parser)

    @property
    def is_told_enough(self) -> bool:
        """Whether as much of it is kept as may be."""
        return len(self.points) >= _MOST_TOLD or len(self.chunk_bytes) >= _MOST_TOLD

    def read(self, data: bytes) -> None:
        """Some bytes came just now."""
        now, before = monotonic_ns(), self.body_bytes
        self.arrived_bounded(memoryview(data), Arrival(now, MISSING, MISSING))
        if self.body_bytes > before:
            self.points.append((now, self.body_bytes))

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header line."""
        super().on_header(name, value)
        if self.headers_ns == MISSING:
            self.given.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_body(self, body: bytes | memoryview) -> None:
        """Some bytes of the body."""
        super().on_body(body)
        self._chunk += len(body)

    def on_chunk_complete(self) -> None:
        """The end of one chunk (the last, empty one too)."""
        if self._chunk:
            self.chunk_bytes.append(self._chunk)
        self._chunk = 0


def listen(question: Question) -> Heard:
    """Ask, and hear the response to its end, or for ``longest_s``. Raises NotHeard."""
    parts = urlsplit(question.url)
    secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    try:
        connection, round_trip_ns = _connected(question.addresses or (host,), port)
    except (OSError, UnicodeError) as error:
        raise NotHeard(
            f"nobody answers at {host} port {port}: {getattr(error, 'strerror', None) or error}"
        ) from error
    with connection:
        if secure:
            try:
                connection = ssl.create_default_context().wrap_socket(connection, server_hostname=host)
            except OSError as error:
                raise NotHeard(f"no secure connection with {host}: {error}") from error
        with connection:
            return _converse(connection, question, round_trip_ns)


def _connected(hosts: tuple[str, ...], port: int) -> tuple[socket.socket, int]:
    """A connection, and how long (ns) it took to the address that answered, without finding that."""
    last: OSError = OSError("it has no address")
    found = [item for host in hosts for item in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for family, kind, protocol, _, address in found:
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(_CONNECT_S)
        begun = monotonic_ns()
        try:
            connection.connect(address)
        except OSError as error:
            last = error
            connection.close()
            continue
        return connection, monotonic_ns() - begun
    raise last


def _converse(connection: socket.socket, question: Question, round_trip_ns: int) -> Heard:
    exchange = _HeardExchange(question.method, question.row_marker)
    complete, failure = False, None
    exchange.sending()
    exchange.deadline_ns = end_ns = exchange.sent_ns + round(question.longest_s * 1e9)
    try:
        connection.settimeout(question.longest_s)
        connection.sendall(_wire(question))
        while not (exchange.complete or exchange.error or exchange.is_told_enough):
            left_ns = end_ns - monotonic_ns()
            if left_ns <= 0:
                break
            connection.settimeout(left_ns / 1e9)
            data = connection.recv(_PIECE_BYTES)
            if not data:
                exchange.ended()
                break
            exchange.read(data)
        complete = exchange.complete
        failure = None if exchange.outcome is Outcome.TIMED_OUT else exchange.error or None
    except TimeoutError:
        pass  # it goes on: the caller asked for no more of it
    except MALFORMED as error:
        failure = f"{Outcome.MALFORMED.label}: {error}"
        exchange.fail(Outcome.MALFORMED, failure)
    except OSError as error:
        failure = f"the connection broke: {error.strerror or error}"
    heard_ns = exchange.last_ns if exchange.last_ns != MISSING else monotonic_ns()
    exchange.release()
    return Heard(
        status=_known(exchange.status),
        headers=tuple(exchange.given),
        framing=exchange.framing,
        round_trip_ns=round_trip_ns,
        sent_ns=exchange.sent_ns,
        headers_ns=_known(exchange.headers_ns),
        first_row_ns=_known(exchange.first_row_ns),
        last_ns=heard_ns,
        points=tuple(exchange.points),
        chunk_bytes=tuple(exchange.chunk_bytes),
        complete=complete,
        failure=failure,
        malformed=exchange.outcome is Outcome.MALFORMED,
    )


def _known(value: int) -> int | None:
    return None if value == MISSING else value


def _wire(question: Question) -> bytes:
    parts = urlsplit(question.url)
    target = quote(parts.path or "/", safe=_PLAIN) + (
        f"?{quote(parts.query, safe=_PLAIN)}" if parts.query else ""
    )
    body = b"" if question.body is None else question.body.encode()
    given = {name.lower() for name, _ in question.headers}
    lines = [
        f"{question.method} {target} HTTP/1.1",
        *([] if "host" in given else [f"Host: {parts.netloc.rpartition('@')[2]}"]),
        *([] if "authorization" in given or parts.username is None else [_authorization(parts)]),
        *(f"{name}: {value}" for name, value in question.headers),
        *([] if question.body is None else [f"Content-Length: {len(body)}"]),
        "Connection: close",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def _authorization(parts: SplitResult) -> str:
    """The user and password that a URL names (RFC 7617)."""
    told = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return f"Authorization: Basic {base64.b64encode(told.encode()).decode()}"
