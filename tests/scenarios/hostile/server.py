"""A server that misbehaves for as long as it is let: each path another way, each connection a thread."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping

from results.records import Outcome

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
#: The response that none of them is.
BODY_BYTES = 100
_DRIP_EVERY_S = 0.02
_PIECE = b"x" * 65536
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def _silence() -> Iterator[bytes]:
    while True:
        time.sleep(1)
        yield b""


def _dripped(wire: bytes) -> Iterator[bytes]:
    for number in range(len(wire)):
        time.sleep(_DRIP_EVERY_S)
        yield wire[number : number + 1]


def _zipped(content_bytes: int) -> Iterator[bytes]:
    """So many zeros, a thousandth of them on the wire."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    zeros = bytes(1 << 20)
    for _ in range(content_bytes >> 20):
        yield packer.compress(zeros)
    yield packer.flush()


def _encoded(body: Iterable[bytes]) -> Iterator[bytes]:
    return itertools.chain([OK + b"Content-Encoding: gzip\r\n\r\n"], body)


def _without_end(begin: bytes, piece: bytes) -> Callable[[], Iterator[bytes]]:
    return lambda: itertools.chain([begin], itertools.repeat(piece))


#: How each of them answers, and what the client calls it.
FAULTS: Mapping[str, tuple[Callable[[], Iterable[bytes]], Outcome]] = {
    "silence": (_silence, Outcome.TIMED_OUT),
    "a status line that drips": (lambda: _dripped(OK * 100), Outcome.TIMED_OUT),
    "headers that drip": (lambda: itertools.chain([OK], _dripped(b"X: y\r\n" * 100)), Outcome.TIMED_OUT),
    "a body that drips": (
        lambda: itertools.chain([OK + b"Content-Length: 100\r\n\r\n"], _dripped(b"x" * 100)),
        Outcome.TIMED_OUT,
    ),
    "a chunk size that drips": (
        lambda: itertools.chain([CHUNKED], _dripped(b"0" * 7 + b"1;" + b"a" * 1000)),
        Outcome.TIMED_OUT,
    ),
    "interim responses that drip": (
        lambda: _dripped(_CONTINUE * 100),
        Outcome.TIMED_OUT,
    ),
    "headers without end": (_without_end(OK, b"X: " + b"a" * 65533 + b"\r\n"), Outcome.MALFORMED),
    "one header without end": (_without_end(OK + b"X: ", _PIECE), Outcome.MALFORMED),
    "a reason without end": (_without_end(b"HTTP/1.1 200 ", _PIECE), Outcome.MALFORMED),
    "interim responses without end": (
        _without_end(b"", _CONTINUE * 1000),
        Outcome.MALFORMED,
    ),
    "a chunk extension without end": (_without_end(CHUNKED + b"1;", _PIECE), Outcome.MALFORMED),
    "trailers without end": (_without_end(CHUNKED + b"0\r\n", b"X: y\r\n" * 1000), Outcome.MALFORMED),
    "a body without end": (_without_end(OK + b"\r\n", _PIECE), Outcome.WRONG_LENGTH),
    "chunks without end": (
        _without_end(CHUNKED, b"10000\r\n" + _PIECE + b"\r\n"),
        Outcome.WRONG_LENGTH,
    ),
    "small chunks without end": (_without_end(CHUNKED, b"1\r\nx\r\n" * 1000), Outcome.WRONG_LENGTH),
    "a compression bomb": (lambda: _encoded(_zipped(4 << 30)), Outcome.WRONG_LENGTH),
    "empty gzip members without end": (
        _without_end(OK + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"") * 1000),
        Outcome.TIMED_OUT,
    ),
}


class HostileServer:
    """Serves the faults at ``/0``, ``/1`` and so on, in the order of `FAULTS`."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self._listener.getsockname()[1]
        self._ended = False
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> HostileServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):  # the client has left
            path = connection.recv(65536).split()[1]
            pieces, _ = list(FAULTS.values())[int(path[1:])]
            for piece in pieces():
                if self._ended:
                    return
                connection.sendall(piece)
