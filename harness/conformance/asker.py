"""One connection to a server, and what is asked on it; blocking, and bounded in time."""

from __future__ import annotations

import socket
from collections.abc import Callable
from time import monotonic, monotonic_ns
from typing import Self

from harness.conformance.wire import End, Response
from harness.programs.ports import HOST
from results.errors import MeasurementError

_READ_BYTES = 1 << 16
_CONNECT_TIMEOUT_S = 5.0
#: No response of ours is longer.
_LONGEST_S = 30.0


class Unreachable(MeasurementError):  # noqa: N818  - named for what it is
    """The server does not take connections any more."""


def at_its_end(response: Response) -> bool:
    """Read until the response is whole."""
    return response.end is End.WHOLE


class Asker:
    """A connection; a context manager that closes it.

    With ``receive_buffer_bytes`` the kernel keeps no more than about twice as much of what is not read
    (socket(7), SO_RCVBUF).
    """

    def __init__(self, port: int, receive_buffer_bytes: int | None = None) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if receive_buffer_bytes is not None:  # before the connection: its window is agreed on then
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
            self._socket.settimeout(_CONNECT_TIMEOUT_S)
            self._socket.connect((HOST, port))
        except OSError as error:
            self._socket.close()
            raise Unreachable(f"the server takes no connection any more: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, path: str, *, method: str = "GET", version: str = "1.1") -> Response:
        """Ask; the response is still to be read. Where the connection is closed already, reading tells."""
        lines = [f"{method} {path} HTTP/{version}", f"Host: {HOST}", "", ""]
        response = Response(method, version)
        try:
            self._socket.sendall("\r\n".join(lines).encode())
        except (BrokenPipeError, ConnectionResetError):
            response.close(End.RESET)
        return response

    def read(
        self,
        response: Response,
        *,
        patience_s: float,
        until: Callable[[Response], bool] = at_its_end,
        longest_s: float = _LONGEST_S,
    ) -> Response:
        """Read until ``until`` says that it is enough, the connection ends, or nothing comes for so long.

        Raises NotHttp, and MeasurementError when it goes on for more than ``longest_s``.
        """
        deadline = monotonic() + longest_s
        self._socket.settimeout(patience_s)
        while response.connection is None and not until(response):
            if monotonic() > deadline:
                raise MeasurementError(f"a response of the server did not end within {longest_s:g} s")
            try:
                data = self._socket.recv(_READ_BYTES)
            except TimeoutError:
                return response
            except ConnectionResetError:
                response.close(End.RESET)
                return response
            if not data:
                response.close(End.CLOSED)
                return response
            response.feed(data, monotonic_ns())
        return response

    def hang_up(self) -> int:
        """Close the connection; the instant (CLOCK_MONOTONIC ns) just before."""
        instant_ns = monotonic_ns()
        self._socket.close()
        return instant_ns
