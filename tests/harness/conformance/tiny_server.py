"""A WSGI server that does all that PEP 3333 and RFC 9112 ask, and others that each do one thing wrong.

Each overrides one method, so that what a check finds of it can be nothing else.
"""

from __future__ import annotations

import contextlib
import io
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from targets.witness import AsAsked

App = Callable[..., Iterable[bytes]]


@dataclass(slots=True)
class Exchange:
    """One request, and its response as far as it is."""

    connection: socket.socket
    method: str
    path: str
    query: str
    version: str
    status: str = ""
    length: int | None = None
    begun: bool = False
    keeps: bool = True
    sent_bytes: int = 0
    unsent: list[bytes] = field(default_factory=list)

    @property
    def chunked(self) -> bool:
        return self.length is None and self.version == "1.1" and self.method != "HEAD"


class Tiny:
    """The right one: a thread a connection, kept alive where the framing allows it."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._connections: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]

    @contextmanager
    def serving(self) -> Iterator[int]:
        """The port; everything ends with the block."""
        acceptor = threading.Thread(target=self._accept)
        acceptor.start()
        try:
            yield self.port
        finally:
            self._listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            self._listener.close()
            for connection in self._connections:
                with contextlib.suppress(OSError):  # it may have ended by itself
                    connection.shutdown(socket.SHUT_RDWR)
            for thread in self._threads:
                thread.join(10)
            assert not any(thread.is_alive() for thread in self._threads)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # shut down
                return
            self._connections.append(connection)
            self.took(connection)

    def took(self, connection: socket.socket) -> None:
        thread = threading.Thread(target=self.connection, args=(connection,))
        self._threads.append(thread)
        thread.start()

    def connection(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as requests:
            while line := _line(requests):
                method, target, version = line.split()
                while _line(requests):
                    pass
                path, _, query = target.partition("?")
                exchange = Exchange(connection, method, path, query, version.removeprefix("HTTP/"))
                exchange.keeps = exchange.version == "1.1"
                try:
                    self.exchange(exchange)
                except OSError:  # the client has gone
                    return
                if not exchange.keeps:
                    return

    def exchange(self, exchange: Exchange) -> None:
        def start_response(status: str, fields: list[tuple[str, str]], _error: object = None) -> Any:
            exchange.status = status
            lengths = [int(value) for name, value in fields if name.lower() == "content-length"]
            exchange.length = lengths[0] if lengths else None
            return lambda data: self.piece(exchange, data)

        body = self.app(_environ(exchange), start_response)
        try:
            for piece in body:
                self.piece(exchange, piece)
            self.finish(exchange)
        except AsAsked:
            self.error(exchange)
        finally:
            self.close(body)

    def close(self, body: Iterable[bytes]) -> None:
        if hasattr(body, "close"):
            body.close()

    def error(self, exchange: Exchange) -> None:
        exchange.keeps = False
        if not exchange.begun:
            exchange.connection.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def begin(self, exchange: Exchange) -> None:
        if exchange.begun:
            return
        exchange.begun = True
        lines = [f"HTTP/{exchange.version} {exchange.status}"]
        if exchange.length is not None:
            lines.append(f"Content-Length: {exchange.length}")
        if exchange.chunked:
            lines.append("Transfer-Encoding: chunked")
        self.send(exchange, "\r\n".join([*lines, "", ""]).encode())

    def piece(self, exchange: Exchange, piece: bytes) -> None:
        if not piece:
            return
        self.begin(exchange)
        self.body(exchange, piece)

    def body(self, exchange: Exchange, piece: bytes) -> None:
        if exchange.method == "HEAD":
            return
        if exchange.length is not None:
            piece = piece[: exchange.length - exchange.sent_bytes]
        if piece:
            exchange.sent_bytes += len(piece)
            self.send(exchange, b"%x\r\n%b\r\n" % (len(piece), piece) if exchange.chunked else piece)

    def send(self, exchange: Exchange, data: bytes) -> None:
        exchange.connection.sendall(data)

    def finish(self, exchange: Exchange) -> None:
        self.begin(exchange)
        if exchange.chunked:
            self.send(exchange, b"0\r\n\r\n")
        short = exchange.length is not None and exchange.sent_bytes < exchange.length
        if exchange.method != "HEAD" and short:
            exchange.keeps = False


class Collects(Tiny):
    """Sends nothing before all is there."""

    def send(self, exchange: Exchange, data: bytes) -> None:
        exchange.unsent.append(data)

    def finish(self, exchange: Exchange) -> None:
        super().finish(exchange)
        exchange.connection.sendall(b"".join(exchange.unsent))


class HoldsTwo(Tiny):
    """Sends two pieces at a time."""

    def send(self, exchange: Exchange, data: bytes) -> None:
        exchange.unsent.append(data)
        if len(exchange.unsent) % 3 == 2 or data == b"0\r\n\r\n" or exchange.length is not None:
            exchange.connection.sendall(b"".join(exchange.unsent))
            exchange.unsent.clear()


class EagerHeaders(Tiny):
    """Sends the headers for an empty piece."""

    def piece(self, exchange: Exchange, piece: bytes) -> None:
        self.begin(exchange)
        super().piece(exchange, piece)


class EndsErrors(Tiny):
    """Ends a response whose generator raised as if it were whole."""

    def error(self, exchange: Exchange) -> None:
        self.finish(exchange)


class NeverCloses(Tiny):
    """Does not call close()."""

    def close(self, body: Iterable[bytes]) -> None:
        pass


class HeadLikeGet(Tiny):
    """Sends a body to a HEAD."""

    def body(self, exchange: Exchange, piece: bytes) -> None:
        exchange.connection.sendall(piece) if exchange.method == "HEAD" else super().body(exchange, piece)


class SendsAll(Tiny):
    """Heeds no Content-Length, and keeps the connection."""

    def body(self, exchange: Exchange, piece: bytes) -> None:
        if exchange.length is None or exchange.method == "HEAD":
            super().body(exchange, piece)
        else:
            self.send(exchange, piece)

    def finish(self, exchange: Exchange) -> None:
        self.begin(exchange)
        if exchange.chunked:
            self.send(exchange, b"0\r\n\r\n")


class ChunksAnybody(Tiny):
    """Sends chunks to a client of HTTP/1.0."""

    def begin(self, exchange: Exchange) -> None:
        exchange.version = "1.1"
        super().begin(exchange)


class Deaf(Tiny):
    """Goes on with a response whose client has gone."""

    def send(self, exchange: Exchange, data: bytes) -> None:
        try:
            exchange.connection.sendall(data)
        except OSError:
            exchange.keeps = False


class Greedy(Deaf):
    """Takes all that the app has, and sends it by and by."""

    def send(self, exchange: Exchange, data: bytes) -> None:
        exchange.unsent.append(data)
        if data == b"0\r\n\r\n" or exchange.length is not None:
            exchange.connection.sendall(b"".join(exchange.unsent))
            exchange.unsent.clear()


class Hasty(Tiny):
    """Takes the status that was there before the first piece was asked for."""

    def piece(self, exchange: Exchange, piece: bytes) -> None:
        if exchange.path == "/late":
            exchange.status = "200 OK"
        super().piece(exchange, piece)


class OneAtATime(Tiny):
    """Serves one connection after another, and each for one request."""

    def took(self, connection: socket.socket) -> None:
        self.connection(connection)

    def finish(self, exchange: Exchange) -> None:
        super().finish(exchange)
        exchange.keeps = False


class GivesUp(Tiny):
    """Closes a connection whose client takes nothing for a while, or whose stream is long."""

    most_pieces = 20

    def body(self, exchange: Exchange, piece: bytes) -> None:
        exchange.connection.settimeout(0.2)
        if exchange.sent_bytes > self.most_pieces * len(piece):
            raise ConnectionAbortedError
        super().body(exchange, piece)


class Mute(Tiny):
    """Closes each connection that asks for a stream without a word."""

    def exchange(self, exchange: Exchange) -> None:
        if exchange.path != "/":
            raise ConnectionAbortedError
        super().exchange(exchange)


def _line(requests: io.BufferedReader) -> str:
    try:
        return requests.readline().decode().strip()
    except (OSError, ValueError):  # reset, or closed under us
        return ""


def _environ(exchange: Exchange) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": exchange.method,
        "PATH_INFO": exchange.path,
        "QUERY_STRING": exchange.query,
        "SERVER_PROTOCOL": f"HTTP/{exchange.version}",
        "wsgi.file_wrapper": iter,
    }
