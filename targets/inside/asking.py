"""Asks a WSGI app as a server does (PEP 3333), and stamps what it hands over."""

from __future__ import annotations

import contextlib
import io
import signal
import sys
from time import monotonic_ns
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes
from wsgiref.util import FileWrapper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType
    from typing import Any

#: Of more pieces each two neighbours become one.
_MOST_PIECES = 20_000
_KEPT_BYTES = 512 * 1024
_AGAIN_S = 0.2


class TooLong(BaseException):
    """The app takes longer than anybody wants to wait. No Exception: the app must not catch it."""


class Pieces:
    """What was handed over, and when: pairs of instant and bytes; empty ones only if they came first.

    ``kept`` holds the begin of it, piece by piece.
    """

    def __init__(self) -> None:
        self.points: list[list[int]] = []
        self.count = 0
        self.largest = 0
        self.empty_first = False
        self.kept: list[bytes] = []
        self._room = _KEPT_BYTES

    def note(self, piece: bytes | str) -> None:
        """One piece is here; a view of Flask's may still have text."""
        piece = piece.encode() if isinstance(piece, str) else piece
        size = len(piece)
        if not size:
            self.empty_first = self.empty_first or not self.count
            return
        self.count += 1
        self.largest = max(self.largest, size)
        self.points.append([monotonic_ns(), size])
        if self._room > 0:
            self._room -= size
            self.kept.append(bytes(piece))
        if len(self.points) > _MOST_PIECES:
            pairs = zip(self.points[::2], self.points[1::2], strict=False)
            self.points = [[later[0], earlier[1] + later[1]] for earlier, later in pairs]

    def report(self) -> dict[str, Any]:
        """As it is written down."""
        return {
            "points": self.points,
            "count": self.count,
            "largest": self.largest,
            "empty_first": self.empty_first,
        }


def stamped(items: Iterable[Any], pieces: Pieces) -> Iterator[Any]:
    """The items, each noted before it is handed on; closes what it got them from."""
    try:
        for item in items:
            pieces.note(item)
            yield item
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()


def environ_of(job: dict[str, Any]) -> dict[str, Any]:
    """The variables of one request."""
    path, _, query = job["path"].partition("?")
    body = (job.get("body") or "").encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": job["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
    }
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
    for name, value in job["headers"]:
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return environ


def ask(
    app: Callable[..., Iterable[bytes]], job: dict[str, Any], pieces: Pieces | None = None
) -> dict[str, Any]:
    """One request, read to its end, or for ``longest_s`` of the job; what came is noted in ``pieces``."""
    pieces = Pieces() if pieces is None else pieces
    answer: list[Any] = []

    def start_response(status: str, headers: list[Any], exc_info: Any = None) -> Callable[[bytes], None]:
        del exc_info
        answer[:] = [status, [list(map(str, header)) for header in headers]]
        return pieces.note

    raised, complete = None, False
    body: Any = None
    began = monotonic_ns()
    with limited(job["longest_s"]):
        try:
            body = app(environ_of(job), start_response)
            for piece in body:
                pieces.note(piece)
            complete = True
        except TooLong:
            pass
        except Exception as error:  # noqa: BLE001  - the app's own, which is told
            raised = f"{type(error).__name__}: {error}".splitlines()[0]
    ended = monotonic_ns()
    close = getattr(body, "close", None)
    if close is not None:
        with contextlib.suppress(Exception):  # the server's business, and nothing of the response
            close()
    return {
        "status": answer[0] if answer else None,
        "headers": answer[1] if answer else [],
        "began_ns": began,
        "ended_ns": ended,
        "complete": complete,
        "raised": raised,
        **pieces.report(),
    }


@contextlib.contextmanager
def limited(longest_s: float) -> Iterator[None]:
    """Throws TooLong into the block after so many seconds, and again and again: an app may catch all."""
    signal.signal(signal.SIGALRM, _too_long)
    signal.setitimer(signal.ITIMER_REAL, longest_s, _AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _too_long(_signal: int, _frame: FrameType | None) -> None:
    raise TooLong


def name_of(thing: Any) -> str:
    """A class or function as people find it: module and name."""
    module = getattr(thing, "__module__", None)
    name = (
        getattr(thing, "__qualname__", None) or getattr(thing, "__name__", None) or type(thing).__qualname__
    )
    return f"{module}.{name}" if module and module != "builtins" else str(name)


def place_of(thing: Any) -> str | None:
    """Where a function, or the class of a thing, is written: file and line."""
    code = getattr(getattr(thing, "__func__", thing), "__code__", None)
    if code is not None:
        return f"{code.co_filename}:{code.co_firstlineno}"
    kind = thing if isinstance(thing, type) else type(thing)
    called = kind.__dict__.get("__call__") or kind.__dict__.get("__init__")
    code = getattr(called, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else None
