"""Servers that frame a body wrongly, or do something else about a length that is wrong."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator

from tests.harness.conformance.tiny_server import App, Exchange, Tiny


class Plain(Tiny):
    """Knows no chunks."""

    def begin(self, exchange: Exchange) -> None:
        if exchange.length is None and not exchange.begun:
            exchange.version = "1.0"
        super().begin(exchange)


class ChunksAnybody(Tiny):
    """Sends chunks to a client of HTTP/1.0."""

    def begin(self, exchange: Exchange) -> None:
        exchange.version = "1.1"
        super().begin(exchange)


class ChunksLengths(Tiny):
    """Takes chunks where there is a length, which it leaves out."""

    def framing(self, exchange: Exchange) -> list[str]:
        exchange.length = None
        return super().framing(exchange)


class DropsLengths(Plain):
    """Leaves a length out, and knows no chunks."""

    def begin(self, exchange: Exchange) -> None:
        exchange.length = None
        super().begin(exchange)


class SaysBoth(ChunksLengths):
    """Sends chunks, and a length beside them."""

    def framing(self, exchange: Exchange) -> list[str]:
        length = exchange.length
        return [*super().framing(exchange), *([] if length is None else [f"Content-Length: {length}"])]


class Counts(Tiny):
    """Waits for all of the body, and tells its real length."""

    def write(self, exchange: Exchange) -> Callable[[bytes], None] | None:
        return exchange.unsent.append

    def serve(self, exchange: Exchange, body: Iterable[bytes]) -> None:
        exchange.unsent.extend(body)

    def finish(self, exchange: Exchange) -> None:
        exchange.length = sum(map(len, exchange.unsent))
        for piece in exchange.unsent:
            self.piece(exchange, piece)
        super().finish(exchange)


class Strict(Counts):
    """The same, and answers with an error where the app has promised another length."""

    def finish(self, exchange: Exchange) -> None:
        if exchange.length not in {None, sum(map(len, exchange.unsent))}:
            self.error(exchange)
        else:
            super().finish(exchange)


class CountsErrors(Counts):
    """The same of a body whose generator has raised: as if it were whole."""

    def error(self, exchange: Exchange) -> None:
        self.finish(exchange)


class Garbles(Tiny):
    """Sends other bytes than the app has given."""

    def piece(self, exchange: Exchange, piece: bytes) -> None:
        super().piece(exchange, piece.upper() if exchange.path == "/stream" else piece)


class Babbles(Tiny):
    """Sends something behind the end of a response, and keeps the connection."""

    def finish(self, exchange: Exchange) -> None:
        super().finish(exchange)
        if exchange.keeps:
            exchange.connection.sendall(b"...")


class Confuses(Tiny):
    """Answers a small request with what is not its answer."""

    def piece(self, exchange: Exchange, piece: bytes) -> None:
        super().piece(exchange, b"no" if exchange.path == "/" else piece)


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


class Overflows(Tiny):
    """Sends what is beyond a length, and closes then."""

    def body(self, exchange: Exchange, piece: bytes) -> None:
        if exchange.length is None or exchange.method == "HEAD":
            super().body(exchange, piece)
            return
        exchange.sent_bytes += len(piece)
        exchange.keeps = exchange.keeps and exchange.sent_bytes <= exchange.length
        self.send(exchange, piece)


class LeavesPiecesOut(Tiny):
    """Sends no piece that goes beyond the length, and keeps the connection."""

    def body(self, exchange: Exchange, piece: bytes) -> None:
        if exchange.length is None or exchange.sent_bytes + len(piece) <= exchange.length:
            super().body(exchange, piece)
        else:
            self.too_long(exchange)

    def too_long(self, exchange: Exchange) -> None:
        exchange.length = exchange.sent_bytes  # of a body that is not short any more


class BreaksOff(LeavesPiecesOut):
    """Closes the connection when it is given such a piece."""

    def too_long(self, exchange: Exchange) -> None:
        raise ConnectionAbortedError


class Pads(Tiny):
    """Fills a body that is too short up."""

    def finish(self, exchange: Exchange) -> None:
        if exchange.short and exchange.length is not None:
            self.piece(exchange, b" " * (exchange.length - exchange.sent_bytes))
        super().finish(exchange)


class Lingers(Tiny):
    """Closes the connection of a body that is too short only after a while."""

    linger_s = 0.9

    def finish(self, exchange: Exchange) -> None:
        super().finish(exchange)
        if exchange.short:
            time.sleep(self.linger_s)


class Swallows(Tiny):
    """Closes the connection of a body that is too short without a word."""

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self.swallows: Iterator[bool] = itertools.repeat(True)

    def send(self, exchange: Exchange, data: bytes) -> None:
        if exchange.length is None:
            super().send(exchange, data)
        else:
            exchange.unsent.append(data)

    def finish(self, exchange: Exchange) -> None:
        super().finish(exchange)
        if exchange.short and next(self.swallows):
            raise ConnectionAbortedError
        exchange.connection.sendall(b"".join(exchange.unsent))


class SwallowsSome(Swallows):
    """Does so every second time."""

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self.swallows = itertools.cycle((False, True))
