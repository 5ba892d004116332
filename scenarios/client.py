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
from scenarios.specification import Address
from scenarios.stamped_socket import StampedSocket

E = TypeVar("E", bound=Exchange)
#: Those that may be sent again (RFC 9110, 9.2.2).
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "QUERY"})

#: Shared by all connections of this process: between a read and its parsing no other greenlet runs.
MOST_READ_BYTES = 256 * 1024
_BUFFER = memoryview(bytearray(MOST_READ_BYTES))
#: One segment of an Ethernet: a read of more may take a later segment's stamp.
_FIRST_READS = [_BUFFER[:1460]]


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
            host=address.authority or f"{address.host}:{address.port}",
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

    ``timeout_s`` bounds one attempt, from before the connection is made to the message's end. With a ``pace``
    it takes no more than that; without, at most ``most_read_bytes`` of a body are read at a time.
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
        reused = self._socket is not None and request.method in _IDEMPOTENT
        exchange = self._attempt(request, new_exchange())
        if reused and not exchange.answered and exchange.outcome in {Outcome.RESET, Outcome.TRUNCATED}:
            exchange = self._attempt(request, new_exchange())
        return exchange

    def _attempt(self, request: Request, exchange: E) -> E:
        # One timer for all attempts: a gevent.Timeout each costs a tenth of a small request.
        self._timer.again(gevent.getcurrent().throw, _TooLate)
        try:
            self._converse(request, exchange)
        except _TooLate:
            exchange.fail(Outcome.TIMED_OUT, f"no complete response within {self._timeout_s:g} s")
        except MALFORMED as error:
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None  # ours: verify cannot write the body that it keeps
            exchange.fail(Outcome.MALFORMED, f"not a valid HTTP response: {error}")
        except OSError as error:
            exchange.fail(*_network_failure(error, connected=self._socket is not None))
        finally:
            self._timer.stop()
            exchange.release()
            if exchange.error or not exchange.keep_alive or request.close:
                self.close()
        return exchange

    def _converse(self, request: Request, exchange: Exchange) -> None:
        if self._socket is None:
            held_bytes = None if self._pace is None else RECEIVE_BUFFER_BYTES
            self._socket = StampedSocket(self._address, self._polls, receive_buffer_bytes=held_bytes)
            exchange.connected_ns = monotonic_ns()
        connection = self._socket
        exchange.connection = connection.port
        parser = httptools.HttpResponseParser(exchange)
        exchange.sending(parser)
        if self._pace is not None:
            self._pace.begin()
        connection.send(request.wire)
        while not exchange.complete:
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


def _network_failure(error: OSError, *, connected: bool) -> tuple[Outcome, str]:
    if not connected:
        return Outcome.CONNECT_FAILED, f"cannot connect: {error.strerror or error}"
    if error.errno in {errno.ECONNRESET, errno.EPIPE}:
        return Outcome.RESET, "the server reset the connection"
    return Outcome.RESET, f"the connection broke: {error.strerror or error}"
