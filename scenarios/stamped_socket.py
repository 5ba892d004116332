"""A non-blocking TCP connection under gevent whose reads tell when their bytes arrived."""

from __future__ import annotations

import errno
import os
import select
import socket
from time import monotonic_ns

import gevent
from gevent import monkey

from scenarios.arrival import CONTROL_BYTES, Arrival, StampClock, ask_for_stamps
from scenarios.polling import PollClock

#: The standard library's own socket, also where Locust has patched it: waiting is done here.
_Socket: type[socket.socket] = monkey.get_original("socket", "socket")
_READ, _WRITE = 1, 2


class StampedSocket:
    """One connection to an IP address and port, made when this object is, from the local ``port``.

    Waits let other greenlets run.

    ``receive_buffer_bytes`` bounds what the kernel takes in before it is read; without, the kernel decides.
    Raises OSError as sockets do.
    """

    def __init__(
        self, address: tuple[str, int], polls: PollClock, *, receive_buffer_bytes: int | None = None
    ) -> None:
        self._polls = polls
        self._hub = gevent.get_hub()
        self._empty_ns = 0
        self.drained = True
        """Whether all had been read at the last read: the next one waits, and others run meanwhile."""
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._socket = _Socket(family, socket.SOCK_STREAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if receive_buffer_bytes is not None:  # before the connection is made: it decides the window
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
            ask_for_stamps(self._socket)
            self._readable = self._hub.loop.io(self._socket.fileno(), _READ)
            self._connect(address)
            self.port: int = self._socket.getsockname()[1]
            self._poll = select.poll()
            self._poll.register(self._socket, select.POLLIN)
        except BaseException:
            self._socket.close()
            raise

    def _connect(self, address: tuple[str, int]) -> None:
        code = self._socket.connect_ex(address)
        if code == errno.EINPROGRESS:
            code = self._socket.connect_ex(address)  # over loopback it is there by now
        if code == errno.EALREADY:
            self._wait_writable()
            code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code not in {0, errno.EISCONN}:
            raise OSError(code, os.strerror(code))

    def send(self, data: bytes) -> None:
        """Send everything. What will be received from now on has not arrived yet."""
        self._empty_ns = monotonic_ns()
        self.drained = True
        while data:
            try:
                data = data[self._socket.send(data) :]
            except BlockingIOError:
                self._wait_writable()

    def holds_unasked(self) -> bool:
        """Whether bytes are there to be read; not so where the other side has only closed the connection."""
        if not self._poll.poll(0):
            return False
        try:
            return bool(self._socket.recv(1, socket.MSG_PEEK))
        except OSError:
            return False  # what is wrong with the connection shows when it is used

    def receive_bounded(self, into: list[memoryview], clock: StampClock) -> tuple[int, Arrival]:
        """Read what is there into the one buffer of ``into``: how many bytes (0 at the end), and when.

        The socket was last seen empty by a read that did not fill its buffer or found nothing, or by the
        loop's poll before the one that reported it, whichever is later.
        """
        if self.drained:
            self._wait_watched()
        while True:
            try:
                size, control, _, _ = self._socket.recvmsg_into(into, CONTROL_BYTES)
                break
            except BlockingIOError:
                self._empty_ns = monotonic_ns()
                self._wait_watched()
        arrival = clock.arrival(control, self._empty_ns)
        self.drained = size < len(into[0])
        if self.drained:
            self._empty_ns = arrival.at_ns
        return size, arrival

    def receive(self, into: list[memoryview], clock: StampClock) -> tuple[int, int]:
        """The same for what follows: how many bytes, and when, without the bound of that instant's error."""
        if self.drained:
            self._wait_readable()
        while True:
            try:
                size, control, _, _ = self._socket.recvmsg_into(into, CONTROL_BYTES)
                break
            except BlockingIOError:
                self._wait_readable()
        self.drained = size < len(into[0])
        return size, clock.instant(control)

    def close(self) -> None:
        """Close the connection."""
        self._readable.stop()
        self._readable.close()
        self._socket.close()

    def _wait_watched(self) -> None:
        """Wait while the poll clock keeps the bound of what will be read."""
        self._polls.watch()
        # Before the other sockets of a poll: what is read late may be stamped late.
        self._readable.priority = self._hub.loop.MAXPRI - 1
        try:
            self._wait_readable()
        finally:
            self._readable.priority = 0
            self._empty_ns = max(self._empty_ns, self._polls.empty_ns())
            self._polls.unwatch()

    def _wait_readable(self) -> None:
        self._readable.start(gevent.getcurrent().switch)
        try:
            self._hub.switch()
        finally:
            self._readable.stop()

    def _wait_writable(self) -> None:
        watcher = self._hub.loop.io(self._socket.fileno(), _WRITE)
        try:
            self._hub.wait(watcher)
        finally:
            watcher.stop()
            watcher.close()
