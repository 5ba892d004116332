"""The timed HTTP/1.1 client: one connection over a gevent socket, bodies verified and never kept."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic_ns
from typing import TypeVar

import gevent
import httptools

from results.records import MISSING, Outcome
from scenarios.arrival import StampClock
from scenarios.exchange import MALFORMED, Exchange
from scenarios.pace import RECEIVE_BUFFER_BYTES, Pace
from scenarios.polling import PollClock
from scenarios.specification import Address, authority_of
from scenarios.stamped_socket import StampedSocket

E = TypeVar("E", bound=Exchange)
#: Those that may be sent again (RFC 9110, 9.2.2).
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "QUERY"})

#: Shared by all connections of this process: between a read and its parsing no other greenlet runs.
MOST_READ_BYTES = 256 * 1024
_BUFFER = memoryview(bytearray(MOST_READ_BYTES))
#: One segment of an Ethernet: a read of more may take a later segment's stamp.
_FIRST_READS = [_BUFFER[:1460]]
#: After so long a rest it is worth a look (1 us) whether a connection holds what nobody asked for. Sooner,
#: what comes too much is hardly there yet: it is stamped before the next request, or spoils its response.
_REST_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked, as it goes over the wire."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    close: bool = False
    """Ask for one connection a request."""
    host: str = "127.0.0.1"
    body: str | None = None
    wire: bytes = field(init=False, repr=False)

    @classmethod
    def to(cls, address: Address) -> Request:
        """The request that this address is asked."""
        return cls(
            address.method,
            address.path,
            address.headers,
            close=not address.keep_alive,
            host=address.authority or authority_of(address.host, address.port),
            body=address.body,
        )

    def __post_init__(self) -> None:
        body = b"" if self.body is None else self.body.encode()
        lines = [
            f"{self.method} {self.path} HTTP/1.1",
            *([] if any(name.lower() == "host" for name, _ in self.headers) else [f"Host: {self.host}"]),
            *(f"{name}: {value}" for name, value in self.headers),
            *([] if self.body is None else [f"Content-Length: {len(body)}"]),
            *(["Connection: close"] if self.close else []),
        ]
        object.__setattr__(self, "wire", ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)


class _TooLate(BaseException):
    """Thrown into the greenlet whose attempt takes longer than it may."""


class TimedClient:
    """Sends requests over one connection and opens it again where the server closes it.

    ``timeout_s`` bounds a request, from before the connection is made to the message's end, however its bytes
    come; where nothing makes the client wait, it looks at the clock after each read. With a ``pace`` it takes
    no more than that; without, at most ``most_read_bytes`` of a body are read at a time.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        timeout_s: float,
        clock: StampClock,
        polls: PollClock,
        pace: Pace | None = None,
        most_read_bytes: int = MOST_READ_BYTES,
    ) -> None:
        self._address = (host, port)
        self._timeout_s = timeout_s
        self._clock = clock
        self._polls = polls
        self._pace = pace
        self._reads = [_BUFFER[: most_read_bytes if pace is None else pace.piece_bytes]]
        self._socket: StampedSocket | None = None
        self._timeout_ns = round(timeout_s * 1e9)
        self._deadline_ns = self._ended_ns = 0
        self._rested = False
        self._timer = gevent.get_hub().loop.timer(timeout_s, timeout_s)

    def close(self) -> None:
        """Close the connection, if one is open."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def perform(self, request: Request, new_exchange: Callable[[], E]) -> E:
        """Send the request and read its response to the end; the exchange is not judged yet.

        Every network error becomes the exchange's outcome. A kept-alive connection that the server closed
        before it answered anything is not the response's failure: the request is sent once more on a new
        connection, as browsers do (RFC 9112, 9.3.1), and only that attempt is recorded. Not so a POST or a
        PATCH, which may have been served (RFC 9110, 9.2.2).
        """
        now = monotonic_ns()
        self._deadline_ns = now + self._timeout_ns
        self._rested = now - self._ended_ns > _REST_NS or not self._clock.stamped
        # One timer for all requests: a gevent.Timeout each costs a tenth of a small one.
        self._timer.again(gevent.getcurrent().throw, _TooLate)
        try:
            reused = self._socket is not None and request.method in _IDEMPOTENT
            exchange = self._attempt(request, new_exchange())
            if reused and not exchange.answered and exchange.outcome in {Outcome.RESET, Outcome.TRUNCATED}:
                exchange = self._attempt(request, new_exchange())
        finally:
            self._timer.stop()
        self._ended_ns = exchange.last_ns
        return exchange

    def _attempt(self, request: Request, exchange: E) -> E:
        try:
            self._converse(request, exchange)
        except _TooLate:
            exchange.fail(Outcome.TIMED_OUT, f"no complete response within {self._timeout_s:g} s")
        except MALFORMED as error:
            if isinstance(error, httptools.HttpParserCallbackError) and error.__context__ is not None:
                raise error.__context__ from None  # ours: verify cannot write the body that it keeps
            exchange.fail(Outcome.MALFORMED, f"not a valid HTTP response: {error}")
        except OSError as error:
            exchange.fail(*_network_failure(error, connected=self._socket is not None))
        finally:
            exchange.release()
            if exchange.error or not exchange.keep_alive or request.close:
                self.close()
        return exchange

    def _connected(self, exchange: Exchange) -> StampedSocket:
        """The connection, made where there is none; on one that is not clean the exchange has failed."""
        if self._socket is None:
            held_bytes = None if self._pace is None else RECEIVE_BUFFER_BYTES
            self._socket = StampedSocket(self._address, self._polls, receive_buffer_bytes=held_bytes)
            exchange.connected_ns = monotonic_ns()
        elif self._rested and self._socket.holds_unasked():
            exchange.fail(
                Outcome.MALFORMED,
                "behind the last response more bytes came on its connection, before anything was asked: what "
                "the server says of that response's end is wrong",
            )
        exchange.connection = self._socket.port
        return self._socket

    def _converse(self, request: Request, exchange: Exchange) -> None:
        exchange.deadline_ns = self._deadline_ns
        connection = self._connected(exchange)
        if exchange.error:
            return
        exchange.sending()
        if self._pace is not None:
            self._pace.begin()
        connection.send(request.wire)
        while not (exchange.complete or exchange.error):
            if not connection.drained and monotonic_ns() > self._deadline_ns:
                raise _TooLate  # nobody else runs while there is more to read: neither does the timer
            begun = exchange.first_body_ns != MISSING
            if begun and not exchange.BOUNDED:
                size, at_ns = connection.receive(self._reads, self._clock)
                if size:
                    exchange.arrived(_BUFFER[:size], at_ns)
                    if self._pace is not None and not exchange.complete:
                        self._pace.rest(size, exchange.first_body_ns)
                    continue
            else:
                into = self._reads if begun else _FIRST_READS
                size, arrival = connection.receive_bounded(into, self._clock)
                if size:
                    exchange.arrived_bounded(_BUFFER[:size], arrival)
                    continue
            exchange.ended()
            return
        if (request.close or not exchange.keep_alive) and connection.holds_unasked():
            exchange.on_message_begin()


def _network_failure(error: OSError, *, connected: bool) -> tuple[Outcome, str]:
    if not connected:
        return Outcome.CONNECT_FAILED, f"cannot connect: {error.strerror or error}"
    if error.errno in {errno.ECONNRESET, errno.EPIPE}:
        return Outcome.RESET, "the server reset the connection"
    return Outcome.RESET, f"the connection broke: {error.strerror or error}"
