"""A WSGI server that does all that PEP 3333 and RFC 9112 ask.

Those of `tiny_framing`, `tiny_errors` and `tiny_time` each override one method of it, so that what a check
finds of them can be nothing else.
"""

from __future__ import annotations

import contextlib
import io
import socket
import threading
import time
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
    begun_s: float = field(default_factory=time.monotonic)

    @property
    def chunked(self) -> bool:
        return self.length is None and self.version == "1.1" and self.method != "HEAD"

    @property
    def short(self) -> bool:
        """Whether bytes of a promised length are missing."""
        return self.method != "HEAD" and self.length is not None and self.sent_bytes < self.length


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
            return self.write(exchange)

        body: Iterable[bytes] = ()
        try:
            body = self.app(self.environ(exchange), start_response)
            self.serve(exchange, body)
            self.finish(exchange)
        except (AsAsked, TypeError):  # the latter: there is no write()
            self.error(exchange)
        finally:
            self.close(body)

    def environ(self, exchange: Exchange) -> dict[str, Any]:
        return {
            "REQUEST_METHOD": exchange.method,
            "PATH_INFO": exchange.path,
            "QUERY_STRING": exchange.query,
            "SERVER_PROTOCOL": f"HTTP/{exchange.version}",
            "wsgi.file_wrapper": iter,
        }

    def write(self, exchange: Exchange) -> Callable[[bytes], None] | None:
        return lambda data: self.piece(exchange, data)

    def serve(self, exchange: Exchange, body: Iterable[bytes]) -> None:
        for piece in body:
            self.piece(exchange, piece)

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
        lines = [f"HTTP/{exchange.version} {exchange.status}", *self.framing(exchange), "", ""]
        self.send(exchange, "\r\n".join(lines).encode())

    def framing(self, exchange: Exchange) -> list[str]:
        if exchange.chunked:
            return ["Transfer-Encoding: chunked"]
        if exchange.length is None:
            exchange.keeps = exchange.keeps and exchange.method == "HEAD"
            return []
        return [f"Content-Length: {exchange.length}"]

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
        if exchange.short:
            exchange.keeps = False


def _line(requests: io.BufferedReader) -> str:
    try:
        return requests.readline().decode().strip()
    except (OSError, ValueError):  # reset, or closed under us
        return ""
