"""The process of `StallingServer`: `python -I tests/synthetic/stalling_process.py`.

The standard library alone. One thread answers all connections, each request with the same small body.
Standard output gives one line of JSON with the port; then each line on standard input is a command that is
answered by one: `stall AFTER_S FOR_S` (from the next request on), `truth` (the stall's begin and end, and
when each request was read). The end of standard input ends the process.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time

_REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000
_HEADERS_END = b"\r\n\r\n"
_BACKLOG = 1024


class Loop:
    """One thread for everything; every instant is `time.monotonic_ns`."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(sys.stdin, selectors.EVENT_READ)
        self._after_ns = self._for_ns = 0
        self._stall: tuple[int, int] | None = None
        self._read_ns: list[int] = []
        self.port: int = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Until standard input ends."""
        while True:
            for key, _ in self._selector.select(self._wait_s()):
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket):
                    self._answer(key.fileobj)
                elif not self._obey(sys.stdin.readline().split()):
                    return
            self._stall_when_due()

    def _due_ns(self) -> int | None:
        """When the stall begins; None while nothing was asked, and when it is over."""
        if not self._for_ns or self._stall or not self._read_ns:
            return None
        return self._read_ns[0] + self._after_ns

    def _wait_s(self) -> float | None:
        due_ns = self._due_ns()
        return None if due_ns is None else max(due_ns - time.monotonic_ns(), 0) / 1e9

    def _stall_when_due(self) -> None:
        due_ns = self._due_ns()
        if due_ns is None or time.monotonic_ns() < due_ns:
            return
        begin_ns = time.monotonic_ns()
        end_ns = begin_ns + self._for_ns
        while (left_ns := end_ns - time.monotonic_ns()) > 0:
            time.sleep(left_ns / 1e9)
        self._stall = begin_ns, time.monotonic_ns()

    def _obey(self, command: list[str]) -> bool:
        match command:
            case ["stall", after_s, for_s]:
                self._after_ns, self._for_ns = (round(float(text) * 1e9) for text in (after_s, for_s))
                self._stall, self._read_ns = None, []
                answer: object = {}
            case ["truth"]:
                answer = {"stall": self._stall, "read_ns": self._read_ns}
            case _:
                return False
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
        return True

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(connection, selectors.EVENT_READ)

    def _answer(self, connection: socket.socket) -> None:
        data = connection.recv(65536)
        if not data:
            self._selector.unregister(connection)
            connection.close()
            return
        # A request of the client's is smaller than a segment: it comes whole.
        for _ in range(data.count(_HEADERS_END)):
            self._read_ns.append(time.monotonic_ns())
            connection.sendall(_REPLY)


if __name__ == "__main__":
    loop = Loop()
    sys.stdout.write(json.dumps({"port": loop.port}) + "\n")
    sys.stdout.flush()
    loop.serve()
