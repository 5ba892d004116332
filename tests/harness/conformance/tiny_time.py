"""Servers that are late, that wait for their clients or for nobody, and that give up."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterable

from tests.harness.conformance.tiny_framing import Plain
from tests.harness.conformance.tiny_server import Exchange, Tiny


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


class OneAtATime(Tiny):
    """Serves one connection after another, and each for one request."""

    def took(self, connection: socket.socket) -> None:
        self.connection(connection)

    def finish(self, exchange: Exchange) -> None:
        super().finish(exchange)
        exchange.keeps = False


class Watches(Tiny):
    """Looks after its client while the app sleeps, and calls close() as soon as it has gone."""

    def serve(self, exchange: Exchange, body: Iterable[bytes]) -> None:
        ended = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(exchange, body, ended))
        watcher.start()
        try:
            super().serve(exchange, body)
        finally:
            ended.set()
            watcher.join()

    def _watch(self, exchange: Exchange, body: Iterable[bytes], ended: threading.Event) -> None:
        while not ended.is_set():
            if select.select([exchange.connection], [], [], 0.005)[0]:
                try:
                    left = not exchange.connection.recv(1, socket.MSG_PEEK)
                except OSError:  # reset
                    left = True
                if left:
                    self.close(body)
                    return


class GivesUp(Tiny):
    """Closes a connection whose client takes nothing for a while."""

    def send(self, exchange: Exchange, data: bytes) -> None:
        exchange.connection.settimeout(0.2)
        super().send(exchange, data)


class GivesUpPlainly(GivesUp, Plain):
    """The same, of a response without chunks."""


class TimesOut(Tiny):
    """Closes a connection whose stream takes long."""

    longest_s = 0.5

    def send(self, exchange: Exchange, data: bytes) -> None:
        if time.monotonic() > exchange.begun_s + self.longest_s:
            raise ConnectionAbortedError
        super().send(exchange, data)


class TimesOutPlainly(TimesOut, Plain):
    """The same, of a response without chunks."""


class Mute(Tiny):
    """Closes each connection that asks for a stream without a word."""

    def exchange(self, exchange: Exchange) -> None:
        if exchange.path != "/":
            raise ConnectionAbortedError
        super().exchange(exchange)
