"""The link between the harness and its load driver: whole messages over one stream socket.

A message is a JSON object and, behind it, raw bytes (packed records); both lengths go before.
"""

from __future__ import annotations

import json
import struct
from typing import Any, Protocol

_LENGTHS = struct.Struct("<IQ")
#: A message that has begun does not pause for so long (s), whoever sends it.
LONGEST_PAUSE_S = 30.0
#: What is said, so often (s), while an answer is still to come.
HEARTBEAT = "heartbeat"
HEARTBEAT_EVERY_S = 1.0


class StreamSocket(Protocol):
    """The little that is asked of a socket; the standard library's and gevent's have it."""

    def sendall(self, data: bytes | bytearray, /) -> None:
        """Send everything."""

    def recv_into(self, buffer: memoryview, /) -> int:
        """Read what is there; 0 at the end."""

    def settimeout(self, seconds: float | None, /) -> None:
        """How long any of these may take."""

    def close(self) -> None:
        """Close the socket."""


class LinkSilent(TimeoutError):  # noqa: N818  - named for what happened
    """The other side is there, and says nothing."""


class LinkClosed(EOFError):  # noqa: N818  - named for what happened
    """The other side is gone."""


class Link:
    """Sends and receives whole messages; blocks until they are through."""

    def __init__(self, socket: StreamSocket) -> None:
        self._socket = socket

    def send(
        self, message: dict[str, Any], packed: bytes | bytearray = b"", within_s: float | None = None
    ) -> None:
        """Send one message. Raises LinkClosed when the other side is gone, LinkSilent after ``within_s``."""
        text = json.dumps(message).encode()
        self._socket.settimeout(within_s)
        try:
            self._socket.sendall(_LENGTHS.pack(len(text), len(packed)) + text)
            if packed:
                self._socket.sendall(packed)
        except TimeoutError as error:
            raise LinkSilent(str(error)) from error
        except OSError as error:
            raise LinkClosed(str(error)) from error

    def receive(self, within_s: float | None = None) -> tuple[dict[str, Any], bytearray]:
        """The next message. Raises LinkClosed when the other side is gone, in the middle too.

        With ``within_s`` it begins within that time and then does not pause for `LONGEST_PAUSE_S`, or
        LinkSilent is raised, after which the link is of no use.
        """
        self._socket.settimeout(within_s)
        text_length, packed_length = _LENGTHS.unpack(self._exactly(_LENGTHS.size))
        self._socket.settimeout(None if within_s is None else LONGEST_PAUSE_S)
        message = json.loads(self._exactly(text_length))
        return message, self._exactly(packed_length)

    def close(self) -> None:
        """Close the link."""
        self._socket.close()

    def _exactly(self, size: int) -> bytearray:
        buffer = bytearray(size)
        view = memoryview(buffer)
        while view:
            try:
                got = self._socket.recv_into(view)
            except TimeoutError as error:
                raise LinkSilent(str(error)) from error
            except OSError as error:
                raise LinkClosed(str(error)) from error
            if not got:
                raise LinkClosed("the other side closed the link")
            view = view[got:]
        return buffer
