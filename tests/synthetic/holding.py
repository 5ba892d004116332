"""A server that holds its one worker for as long as a stream lasts, or one with a worker for everybody."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

SMALL = b"s" * 50
_PIECE = b"x" * 10_000


@dataclass
class HoldingServer:
    """Answers ``/small`` at once, and every other path by ``pieces`` of 10,000 bytes over ``hold_s`` seconds.

    ``held_ns`` has a pair for each stream: when it was begun and when its last piece was handed over.
    """

    port: int
    hold_s: float
    pieces: int
    host: str = "127.0.0.1"
    held_ns: list[tuple[int, int]] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        return _PIECE * self.pieces

    def answer(self, connection: socket.socket) -> None:
        """One request, and the end of its connection."""
        with connection, suppress(OSError):
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                data = connection.recv(4096)
                if not data:
                    return
                request += data
            small = request.startswith(b"GET /small ")
            body = SMALL if small else self.body
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            connection.sendall(head.encode())
            if small:
                connection.sendall(SMALL)
                return
            begun_ns = time.monotonic_ns()
            for number in range(self.pieces):
                due_ns = begun_ns + round(self.hold_s * 1e9 * (number + 1) / self.pieces)
                time.sleep(max(due_ns - time.monotonic_ns(), 0) / 1e9)
                connection.sendall(_PIECE)
            self.held_ns.append((begun_ns, time.monotonic_ns()))


@contextmanager
def holding(*, hold_s: float, pieces: int = 5, alone: bool) -> Iterator[HoldingServer]:
    """The server; ``alone``: it answers one connection after another."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        server = HoldingServer(listener.getsockname()[1], hold_s, pieces)
        threads: list[threading.Thread] = []

        def serve() -> None:
            with suppress(OSError):  # the listener is shut down
                while True:
                    connection, _ = listener.accept()
                    if alone:
                        server.answer(connection)
                    else:
                        threads.append(threading.Thread(target=server.answer, args=[connection]))
                        threads[-1].start()

        acceptor = threading.Thread(target=serve)
        acceptor.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            for thread in threads:
                thread.join()
