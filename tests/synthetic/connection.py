"""One accepted connection: reads requests and takes the steps of each reply, stamping them."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from functools import lru_cache
from typing import TYPE_CHECKING

from .clock import wait_until
from .ledger import Request
from .reply import Reply
from .steps import Circumstances, Step, refusal, steps_of

if TYPE_CHECKING:
    from .ledger import Entry, Ledger

_reply_at = lru_cache(maxsize=256)(Reply.from_path)


class Connection:
    """Serves one socket until it ends; `run` is a thread's work."""

    def __init__(self, sock: socket.socket, accepted_ns: int, ledger: Ledger) -> None:
        self._sock = sock
        self._accepted_ns = accepted_ns
        self._ledger = ledger
        self._number = ledger.connect()
        self._turn = 0
        self._buffer = b""
        self._drops_next = False

    def run(self) -> None:
        """Serve request after request; a client that went away ends it in silence."""
        with self._sock, contextlib.ExitStack() as inner:
            inner.push(self._ledger.leave)  # before the socket closes: the client may ask at once
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (request := self._read()) and self._serve(self._ledger.enter(request)):
                self._turn += 1

    def _serve(self, entry: Entry) -> bool:
        """Answer one request; False when the connection is over."""
        if self._drops_next:
            entry.settle("dropped")
            return False
        try:
            reply = _reply_at(entry.request.path)
            steps = steps_of(reply, _circumstances(reply, entry))
        except ValueError as error:
            return self._play(refusal(str(error)), entry)
        if reply.silent:
            entry.settle("silent")
            return self._drain()
        self._drops_next = reply.stale == "next"
        return self._play(steps, entry)

    def _play(self, steps: tuple[Step, ...], entry: Entry) -> bool:
        begun_ns = entry.request.received_ns
        for step in steps:
            if step.wait_ns:
                wait_until(begun_ns + step.wait_ns)
            begun_ns = time.monotonic_ns()
            try:
                self._act(step)
            except OSError:
                entry.settle("client-gone")
                return False
            if step.action != "pause":
                entry.wrote(step, begun_ns, time.monotonic_ns())
        entry.settle("done")
        if steps[-1].action == "fin":
            return self._drain()
        return steps[-1].action == "send"

    def _act(self, step: Step) -> None:
        if step.action == "send":
            self._sock.sendall(step.data)
        elif step.action == "fin":
            with contextlib.suppress(OSError):  # the client may have reset it already
                self._sock.shutdown(socket.SHUT_WR)
        elif step.action == "reset":
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._sock.close()
        elif step.action == "close":
            self._sock.close()

    def _drain(self) -> bool:
        """Read until the client has gone: a close with unread bytes would be a RST, not a FIN."""
        while self._sock.recv(65536):
            pass
        return False

    def _read(self) -> Request | None:
        """The next request, whole; None when the client has closed."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._receive():
                return None
        block, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        first, *lines = block.decode("latin-1").split("\r\n")
        if first.count(" ") != 2:
            raise ValueError(f"the client sent no HTTP request: {first!r}")
        method, path, version = first.split(" ")
        parts = (line.partition(":") for line in lines)
        headers = [(name, value.strip()) for name, _, value in parts]
        request = Request(self._number, self._turn, method, path, version, headers, 0, self._accepted_ns, 0)
        size = request.body_bytes = int(request.header("content-length") or 0)
        while len(self._buffer) < size:
            if not self._receive():
                return None
        self._buffer = self._buffer[size:]
        request.received_ns = time.monotonic_ns()
        return request

    def _receive(self) -> bool:
        data = self._sock.recv(65536)
        self._buffer += data
        return bool(data)


def _circumstances(reply: Reply, entry: Entry) -> Circumstances:
    request = entry.request
    option = request.header("connection")
    by_version = request.version == "HTTP/1.0" and option != "keep-alive"
    return Circumstances(
        head=request.method == "HEAD",
        flipped=reply.flip_at == entry.number,
        stalled=bool(reply.stall_s) and reply.stall_at in {None, entry.number},
        client_closes=option == "close" or by_version,
    )
