"""Servers that do something else with an error, with a HEAD, or with what else there is of WSGI."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterable
from typing import Any

from tests.harness.conformance.tiny_server import Exchange, Tiny


class EndsErrors(Tiny):
    """Ends a response whose generator raised as if it were whole."""

    def error(self, exchange: Exchange) -> None:
        self.finish(exchange)


class BeginsErrors(Tiny):
    """Sends the headers of a response whose generator raised at once, and no body."""

    def error(self, exchange: Exchange) -> None:
        self.begin(exchange)
        exchange.keeps = False


class Slams(Tiny):
    """Closes the connection without a word."""

    def error(self, exchange: Exchange) -> None:
        exchange.keeps = False


class Resets(Slams):
    """The same, with a reset in place of an end."""

    def error(self, exchange: Exchange) -> None:
        super().error(exchange)
        exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Hangs(Tiny):
    """Says no more, and leaves the connection open."""

    def error(self, exchange: Exchange) -> None:
        exchange.keeps = True


class NeverCloses(Tiny):
    """Does not call close()."""

    def close(self, body: Iterable[bytes]) -> None:
        pass


class HeadLikeGet(Tiny):
    """Sends a body to a HEAD."""

    def body(self, exchange: Exchange, piece: bytes) -> None:
        exchange.connection.sendall(piece) if exchange.method == "HEAD" else super().body(exchange, piece)


class StopsHeads(Tiny):
    """Takes no more from the app for a HEAD than it needs to send the headers."""

    def serve(self, exchange: Exchange, body: Iterable[bytes]) -> None:
        for piece in body:
            self.piece(exchange, piece)
            if exchange.method == "HEAD":
                return


class SkipsHeads(Tiny):
    """Takes nothing from the app for a HEAD."""

    def serve(self, exchange: Exchange, body: Iterable[bytes]) -> None:
        if exchange.method != "HEAD":
            super().serve(exchange, body)


class Hasty(Tiny):
    """Takes the status that was there before the first piece was asked for."""

    def piece(self, exchange: Exchange, piece: bytes) -> None:
        if exchange.path == "/late":
            exchange.status = "200 OK"
        super().piece(exchange, piece)


class NoWrite(Tiny):
    """Gives the app no write()."""

    def write(self, exchange: Exchange) -> Callable[[bytes], None] | None:
        return None


class NoFileWrapper(Tiny):
    """Offers no file_wrapper."""

    def environ(self, exchange: Exchange) -> dict[str, Any]:
        offered = super().environ(exchange)
        return {name: value for name, value in offered.items() if name != "wsgi.file_wrapper"}
