"""An app that does what it is asked, and writes down what it did and when: the truth behind `conform`.

Stands alone: it asks for nothing but the standard library (Python 3.8 or newer).

Each line of the file that FILE_VARIABLE names is one event: the request's ``id``, the event's name, its
instant (CLOCK_MONOTONIC ns) and a value, with blanks between them. It is written at once, with one call, and
before what it tells of goes to the server: what a client has received is in the file already.

=========  ==================================================  ==========================================
event      when                                                value
=========  ==================================================  ==========================================
called     the server calls the app                            0
yielded    just before a piece is handed to the server         its bytes
raised     just before the error leaves the iterator           0
ended      the iterator is through                             0
closed     the server calls ``close()``                        0
=========  ==================================================  ==========================================
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

FILE_VARIABLE = "STREAMGAUGE_WITNESS_FILE"

CALLED, YIELDED, RAISED, ENDED, CLOSED = EVENTS = ("called", "yielded", "raised", "ended", "closed")

#: What the query may say, and what holds where it does not. ``gap_ms`` is the sleep before each yield but the
#: first; ``length`` is the Content-Length that is promised (none where it is negative), whatever is sent;
#: before the piece of number ``raise_at`` an error is raised; with ``empty`` the first yield is ``b""``, and
#: the first piece comes a gap later.
DEFAULTS = {"pieces": 3, "bytes": 10, "gap_ms": 0, "length": -1, "raise_at": -1, "empty": 0}
#: What /late answers with: no server would say so by itself.
LATE_STATUS = 277
#: The name of a request that has none.
NOBODY = "nobody"


class AsAsked(Exception):  # noqa: N818  - named for what happened
    """The error that the query asked for."""


class Witness:
    """The app; ``file`` takes the events."""

    def __init__(self, file: str) -> None:
        self._file = file

    def __call__(
        self, environ: Mapping[str, Any], start_response: Callable[..., Callable[[bytes], object]]
    ) -> Iterable[bytes]:
        """/stream, /written, /one, /late or /environ; any other path answers with two bytes (PEP 3333)."""
        path = environ.get("PATH_INFO", "/")
        query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
        name = query.pop("id", NOBODY)
        asked = {**DEFAULTS, **{key: int(value) for key, value in query.items()}}
        if path not in {"/stream", "/written", "/one", "/late", "/environ"}:
            start_response("200 OK", _fields(2))
            return [b"ok"]
        self.note(name, CALLED)
        if path == "/environ":
            found = b"1" if environ.get("wsgi.file_wrapper") is not None else b"0"
            start_response("200 OK", _fields(1))
            return [found]
        if path == "/late":
            return self._late(name, asked, start_response)
        write = start_response("200 OK", _fields(asked["length"]))
        if path == "/one":
            return [piece_of(0, asked["bytes"])]
        if path == "/written":
            for piece in self._pieces(name, asked):
                write(piece)
            return []
        return _Body(self, name, self._pieces(name, asked))

    def note(self, name: str, event: str, value: int = 0) -> None:
        """Write one event down, now."""
        line = f"{name} {event} {time.monotonic_ns()} {value}\n"
        file = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)

    def _late(
        self, name: str, asked: Mapping[str, int], start_response: Callable[..., object]
    ) -> Iterator[bytes]:
        """As a generator function does that is the app: it starts when it is first asked for a piece."""
        start_response(f"{LATE_STATUS} Late", _fields(asked["length"]))
        yield from self._pieces(name, asked)

    def _pieces(self, name: str, asked: Mapping[str, int]) -> Iterator[bytes]:
        gap_s = asked["gap_ms"] / 1000
        if asked["empty"]:
            self.note(name, YIELDED)
            yield b""
            time.sleep(gap_s)
        for number in range(asked["pieces"]):
            if number:
                time.sleep(gap_s)
            if number == asked["raise_at"]:
                self.note(name, RAISED)
                raise AsAsked("an error in the middle of a stream, as conform asked for it")
            self.note(name, YIELDED, asked["bytes"])
            yield piece_of(number, asked["bytes"])
        self.note(name, ENDED)


class _Body:
    """An iterator with a ``close()`` of its own: that of a generator would say nothing once it has ended."""

    def __init__(self, witness: Witness, name: str, pieces: Iterator[bytes]) -> None:
        self._witness = witness
        self._name = name
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """The server is through with the response."""
        self._witness.note(self._name, CLOSED)


def piece_of(number: int, size: int) -> bytes:
    """The bytes of one piece: its letter, so that a piece that is lost or sent twice is seen."""
    return bytes([ord("a") + number % 26]) * size


def _fields(length: int) -> list[tuple[str, str]]:
    promised = [("Content-Length", str(length))] if length >= 0 else []
    return [("Content-Type", "text/plain"), *promised]


def __getattr__(name: str) -> Witness:
    """``app``: made when it is first asked for, since only a server has the variable."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    witness = globals()["app"] = Witness(os.environ[FILE_VARIABLE])
    return witness
