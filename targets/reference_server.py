"""The reference server: answers on a known schedule and keeps the truth of when it did.

Run as ``python -I -S reference_server.py``; it writes its port as the first line. It is one thread that
spins over non-blocking sockets when anything is due soon: it is late by microseconds, not by a wake-up.

``GET /?delay_us=10000&chunks=3&pace_us=1000&bytes=500`` is answered with the headers and the first of three
pieces of 500 bytes 10 ms after the request was read, in one send, and with the other pieces 1 ms apart.
``GET /truth`` is answered with what is known of all requests answered since it was asked last, as int64 in
the order of TRUTH_FIELDS (native byte order).
"""

from __future__ import annotations

import argparse
import gc
import heapq
import selectors
import socket
import sys
import time
from array import array
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic_ns
from urllib.parse import parse_qsl, urlsplit

HOST = "127.0.0.1"
#: The client's port, the number of the request on its connection (from 0), and instants of CLOCK_MONOTONIC:
#: the request was read; just before and just after the send of the first body byte; after the last send.
TRUTH_FIELDS = ("connection", "turn", "received_ns", "first_before_ns", "first_after_ns", "last_after_ns")
#: Which request of which connection is answered, as PORT/TURN: for clients that do not know their port.
TRUTH_HEADER = "Answers"

#: Asleep it would wake up late: it sleeps only when nothing is due and nothing has happened for so long.
#: (A sleep ends up to 1 ms, epoll's unit, late; awake for longer it only takes time from what it measures.)
_AWAKE_NS = 3_000_000
#: So near to a deadline, sockets are not looked at.
_NEAR_NS = 15_000
_RETRY_NS = 20_000
_MOST_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a response's pieces are due after its request, and what they hold."""

    delay_ns: int
    chunks: int
    pace_ns: int
    piece: bytes


class Connection:
    """One client; it asks for the next response when it has the last."""

    __slots__ = ("asked", "busy", "port", "socket", "turn")

    def __init__(self, accepted: socket.socket, port: int) -> None:
        self.socket = accepted
        self.port = port
        self.turn = 0
        self.asked = b""
        self.busy = False


class Reply:
    """One response on its way. ``rest`` is what the socket had no room for."""

    __slots__ = (
        "connection",
        "due_ns",
        "first_after_ns",
        "first_before_ns",
        "received_ns",
        "rest",
        "schedule",
        "sent",
        "turn",
    )

    def __init__(self, connection: Connection, schedule: Schedule, received_ns: int) -> None:
        self.connection = connection
        self.schedule = schedule
        self.received_ns = received_ns
        self.due_ns = received_ns + schedule.delay_ns
        self.turn = connection.turn
        self.first_before_ns = self.first_after_ns = 0
        self.sent = 0
        self.rest = (
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
            f"{TRUTH_HEADER}: {connection.port}/{self.turn}\r\n"
            f"Content-Length: {schedule.chunks * len(schedule.piece)}\r\n\r\n"
        ).encode() + schedule.piece


class ReferenceServer:
    """Listens when it is made; `run` serves until the process is ended.

    ``stall_after_s`` seconds after the first request (but for ``/truth``) it does nothing at all for
    ``stall_for_s`` seconds, once.
    """

    def __init__(self, host: str, port: int, stall_after_s: float | None, stall_for_s: float) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=1024)
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._due: list[tuple[int, int, Reply]] = []
        self._replies = 0
        self._truth = array("q")
        self._stall_after_ns = None if stall_after_s is None else round(stall_after_s * 1e9)
        self._stall_for_s = stall_for_s
        self._stall_at_ns: int | None = None
        self._active_ns = monotonic_ns()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    def run(self) -> None:
        """Read and answer for good."""
        due = self._due
        while True:
            now = monotonic_ns()
            if self._stall_at_ns is not None and now >= self._stall_at_ns:
                self._stall_at_ns = None
                time.sleep(self._stall_for_s)
                continue
            if due and due[0][0] - now < _NEAR_NS:
                self._send_when_due()
                continue
            for key, _ in self._selector.select(self._may_sleep_s(now)):
                if self._stall_at_ns is not None and monotonic_ns() >= self._stall_at_ns:
                    break  # what woke us up waits too
                self._ready(key.data)
                if due and due[0][0] <= monotonic_ns():
                    self._send_when_due()

    def _may_sleep_s(self, now: int) -> float | None:
        """How long nothing will be due; 0 where sleeping would make it late, None for good."""
        if now - self._active_ns < _AWAKE_NS:
            return 0
        wakes = [self._due[0][0]] if self._due else []
        wakes += [self._stall_at_ns] if self._stall_at_ns is not None else []
        if not wakes:
            return None
        return max((min(wakes) - now - _AWAKE_NS) / 1e9, 0)

    def _ready(self, connection: Connection | None) -> None:
        self._active_ns = monotonic_ns()
        if connection is None:
            accepted, (_, port, *_) = self._listener.accept()
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(accepted, selectors.EVENT_READ, Connection(accepted, port))
            return
        try:
            data = connection.socket.recv(_MOST_BYTES)
        except OSError:  # reset: as good as closed
            data = b""
        connection.asked += data
        if not data or connection.busy or len(connection.asked) > _MOST_BYTES:
            self._drop(connection)
        elif connection.asked.endswith(b"\r\n\r\n"):
            self._asked(connection, monotonic_ns())

    def _asked(self, connection: Connection, received_ns: int) -> None:
        asked = connection.asked.partition(b" HTTP/")[0].decode("latin-1")
        connection.asked = b""
        if asked == "GET /truth":
            self._tell(connection)
            return
        try:
            schedule = schedule_of(asked)
        except ValueError as error:
            head = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
            _send_whole(connection.socket, f"{head}{error}\n".encode())
            self._drop(connection)
            return
        if self._stall_after_ns is not None:
            self._stall_at_ns = received_ns + self._stall_after_ns
            self._stall_after_ns = None
        connection.busy = True
        self._push(Reply(connection, schedule, received_ns), received_ns + schedule.delay_ns)

    def _push(self, reply: Reply, due_ns: int) -> None:
        self._replies += 1
        heapq.heappush(self._due, (due_ns, self._replies, reply))

    def _send_when_due(self) -> None:
        """Wait for the earliest deadline and send what it is of."""
        due_ns, _, reply = heapq.heappop(self._due)
        while monotonic_ns() < due_ns:
            pass
        connection = reply.connection
        wire = reply.rest
        before_ns = monotonic_ns()
        try:
            sent = connection.socket.send(wire)
        except BlockingIOError:
            sent = 0
        except OSError:  # the client is gone, and so is its request
            self._drop(connection)
            return
        after_ns = self._active_ns = monotonic_ns()
        if sent and not reply.first_after_ns:
            reply.first_before_ns, reply.first_after_ns = before_ns, after_ns
        if sent < len(wire):
            reply.rest = wire[sent:]
            self._push(reply, after_ns + _RETRY_NS)
            return
        reply.sent += 1
        if reply.sent < reply.schedule.chunks:
            reply.rest = reply.schedule.piece
            self._push(reply, reply.due_ns + reply.sent * reply.schedule.pace_ns)
            return
        self._truth.extend(
            (
                connection.port,
                reply.turn,
                reply.received_ns,
                reply.first_before_ns,
                reply.first_after_ns,
                after_ns,
            )
        )
        connection.turn += 1
        connection.busy = False

    def _tell(self, connection: Connection) -> None:
        packed = self._truth.tobytes()
        self._truth = array("q")
        head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
        _send_whole(connection.socket, head + packed)
        self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        if connection.socket.fileno() >= 0:
            self._selector.unregister(connection.socket)
            connection.socket.close()


@lru_cache(maxsize=64)
def schedule_of(asked: str) -> Schedule:
    """The schedule of a request line's begin, like ``GET /?bytes=500``. Raises ValueError."""
    method, _, path = asked.partition(" ")
    parts = urlsplit(path)
    numbers = {"delay_us": 0, "chunks": 1, "pace_us": 0, "bytes": 500}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in numbers or not value.isdecimal():
            raise ValueError(f"{name}={value} is not understood; {', '.join(numbers)} take whole numbers")
        numbers[name] = int(value)
    if (method, parts.path) != ("GET", "/") or not numbers["chunks"] or not numbers["bytes"]:
        raise ValueError(
            f"{asked!r} is not answered; GET /?delay_us=0&chunks=1&pace_us=0&bytes=500 is, "
            "with chunks and bytes from 1"
        )
    piece = piece_of(numbers["bytes"])
    return Schedule(numbers["delay_us"] * 1000, numbers["chunks"], numbers["pace_us"] * 1000, piece)


def piece_of(size: int) -> bytes:
    """What each piece of so many bytes holds."""
    line = b"abcdefghijklmnopqrstuvwxyz0123456789\n"
    return (line * (size // len(line) + 1))[:size]


def _send_whole(to: socket.socket, data: bytes) -> None:
    """Nothing is due while this is asked for: it may wait."""
    to.settimeout(10)
    try:
        to.sendall(data)
    except OSError as error:  # who asked is gone, or does not read
        sys.stderr.write(f"an answer could not be sent: {error}\n")


def main() -> None:
    """Tell the port and serve."""
    parser = argparse.ArgumentParser(description="Answers on a known schedule and keeps the truth of it.")
    parser.add_argument("--host", default=HOST, help="the IP address to listen at")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--stall-after-s", type=float, help="stall once, so long after the first request")
    parser.add_argument("--stall-for-s", type=float, default=1.0, help="for so long")
    options = parser.parse_args()
    server = ReferenceServer(options.host, options.port, options.stall_after_s, options.stall_for_s)
    gc.disable()
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    server.run()


if __name__ == "__main__":
    main()
