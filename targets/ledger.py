"""The ledger of a traced trial: a WSGI middleware that stamps what the app hands over, and when.

Stands alone: it is copied under a name of its own beside a server under test, in whose environment only the
standard library is sure to be there (Python 3.8 or newer), and is served as ``NAME:app``. APP_VARIABLE names
the real app, FILE_VARIABLE the file to which one record is appended for each request.

Where a middleware is around the app, INSIDE_VARIABLE is set: the ledger is around both, and what the app
hands over is stamped by `stamps` inside.

A body that is a ``wsgi.file_wrapper`` is iterated as any other, so that its yields are seen; the server's
shortcut for it (sendfile) is lost, and the record says so. uWSGI's wrapper is a function that returns the
file itself, which would yield its lines: it is read in blocks, as other wrappers do.

A record is HEADER (MAGIC, then FIELDS), the path's bytes, and two int64 for each yield: its instant and its
size. Instants are CLOCK_MONOTONIC ns, sizes bytes; MISSING is null.
"""

from __future__ import annotations

import importlib
import os
import struct
import sys
import threading
from array import array
from time import monotonic_ns
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

APP_VARIABLE = "STREAMGAUGE_LEDGER_APP"
FILE_VARIABLE = "STREAMGAUGE_LEDGER_FILE"
INSIDE_VARIABLE = "STREAMGAUGE_LEDGER_INSIDE"
#: The request's record in its WSGI environment, for whoever stamps inside.
KEY = "streamgauge.ledger"

MAGIC = b"sgledger"
FIELDS = (
    "pid",
    "remote_port",
    "began_ns",
    "ended_ns",
    "closed_ns",
    "ending",
    "sendfile_lost",
    "rss_at_begin_bytes",
    "hwm_bytes",
    "own_bytes",
    "path_bytes",
    "yields",
)
HEADER = struct.Struct(f"=8s{len(FIELDS)}q")
#: The values of ``ending``, by number.
ENDINGS = ("exhausted", "raised", "abandoned")
MISSING = -1

_EXHAUSTED, _RAISED, _ABANDONED = range(3)
#: The yields for which a new book has room.
_ROOM = 4096
#: What most wrappers of files read at a time.
_BLOCK_BYTES = 8192


class Ledger:
    """A WSGI app around another; ``records`` is the file's path."""

    def __init__(self, app: Callable[..., Iterable[bytes]], records: str) -> None:
        self._app = app
        self._records = records
        self._lock = threading.Lock()
        self._in_flight = 0
        self._begun = 0
        #: Books of ended requests. Used again, so that a request takes memory for its own only where it
        #: yields more often than all before it.
        self._books: list[array[int]] = []

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Callable[[bytes], object]]
    ) -> Iterable[bytes]:
        """Serve one request as the app does."""
        request = _Request(self, environ)

        def starting(*arguments: Any) -> Callable[[bytes], object]:
            write = start_response(*arguments)

            def stamped(data: bytes) -> object:
                request.note(len(data))
                return write(data)

            return stamped

        try:
            body = self._app(environ, starting)
        except BaseException:
            request.ended(_RAISED)
            request.file()
            raise
        return self._watched(environ, body, request, request.note)

    def _watched(
        self,
        environ: dict[str, Any],
        body: Iterable[bytes],
        request: _Request,
        note: Callable[[int], None],
    ) -> Iterable[bytes]:
        """The body with its end, and each yield told to ``note``."""
        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(wrapper, type):
            request.sendfile_lost |= isinstance(body, wrapper)
        elif wrapper is not None and hasattr(body, "read"):
            request.sendfile_lost = True
            body = _FileBody(body)
        # A server may take a length from it (PEP 3333, "Handling the Content-Length Header").
        kind = _SizedBody if hasattr(body, "__len__") else _Body
        return kind(body, request, note)

    def begin(self) -> tuple[array[int], int, bool]:
        """A book for one more request, the request's number, and whether it is the only one in flight."""
        with self._lock:
            self._in_flight += 1
            self._begun += 1
            number, alone = self._begun, self._in_flight == 1
            book = self._books.pop() if self._books else array("q", bytes(16 * _ROOM))
        return book, number, alone

    def end(self, number: int) -> bool:
        """A request is through: whether no other began since it did."""
        with self._lock:
            self._in_flight -= 1
            return number == self._begun

    def append(self, header: bytes, path: bytes, book: array[int], used: int) -> None:
        """Add a record to the file with one write, so that several workers do not mix theirs."""
        try:
            file = os.open(self._records, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                with memoryview(book) as numbers, numbers[:used] as entries:
                    written = os.writev(file, [header, path, entries])
            finally:
                os.close(file)
            if written < len(header) + len(path) + 8 * used:
                raise OSError("no room for all of it")  # noqa: TRY301
        except OSError as error:  # the response is the app's and went well: only the record is missing
            sys.stderr.write(f"streamgauge's ledger cannot write to {self._records}: {error}\n")
        with self._lock:
            self._books.append(book)


class LedgerAround(Ledger):
    """The ledger around a middleware: the yields are those of the app, stamped inside of it (`stamps`)."""

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Callable[[bytes], object]]
    ) -> Iterable[bytes]:
        """Serve one request as the app does."""
        request = environ[KEY] = _Request(self, environ)
        try:
            body = self._app(environ, start_response)
        except BaseException:
            request.ended(_RAISED)
            request.file()
            raise
        return self._watched(environ, body, request, _stamped_inside)


def _stamped_inside(_size: int) -> None:
    """What a middleware hands over is not noted."""


class _Request:
    """What is known of one request; filed once."""

    __slots__ = (
        "_alone",
        "_began_ns",
        "_book",
        "_closed_ns",
        "_ended_ns",
        "_ending",
        "_filed",
        "_ledger",
        "_number",
        "_path",
        "_port",
        "_room",
        "_rss_bytes",
        "_used",
        "sendfile_lost",
    )

    def __init__(self, ledger: Ledger, environ: dict[str, Any]) -> None:
        self._ledger = ledger
        self._path = str(environ.get("PATH_INFO", "")).encode("latin-1", "replace")
        port = str(environ.get("REMOTE_PORT", ""))
        self._port = int(port) if port.isdigit() else MISSING
        self._used = 0
        self._ended_ns = self._closed_ns = MISSING
        self._ending = _ABANDONED
        self._filed = self.sendfile_lost = False
        self._book, self._number, self._alone = ledger.begin()
        self._room = len(self._book)
        self._rss_bytes = _reset_mark() if self._alone else MISSING
        self._began_ns = monotonic_ns()

    def note(self, size: int) -> None:
        """One yield of so many bytes, now."""
        now = monotonic_ns()
        used = self._used
        if used == len(self._book):
            self._book.extend(self._book)
        self._book[used] = now
        self._book[used + 1] = size
        self._used = used + 2

    def ended(self, ending: int) -> None:
        """The app hands over no more; a middleware around it that ends after it changes nothing of that."""
        if self._ended_ns == MISSING:
            self._ended_ns = monotonic_ns()
            self._ending = ending

    def closing(self) -> None:
        """The server calls close()."""
        if not self._filed:
            self._closed_ns = monotonic_ns()

    def file(self) -> None:
        """Read the memory's mark and write the record; after the first time, do nothing."""
        if self._filed:
            return
        self._filed = True
        hwm_bytes = _memory_bytes(b"VmHWM:") if self._alone else MISSING
        if not self._ledger.end(self._number):
            self._rss_bytes = hwm_bytes = MISSING
        header = HEADER.pack(
            MAGIC,
            os.getpid(),
            self._port,
            self._began_ns,
            self._ended_ns,
            self._closed_ns,
            self._ending,
            self.sendfile_lost,
            self._rss_bytes,
            hwm_bytes,
            8 * (len(self._book) - self._room),
            len(self._path),
            self._used // 2,
        )
        self._ledger.append(header, self._path, self._book, self._used)


class _Body:
    """The app's iterable, each yield stamped before the server gets it."""

    def __init__(self, body: Iterable[bytes], request: _Request, note: Callable[[int], None]) -> None:
        self._body = body
        self._request = request
        self._note = note

    def __iter__(self) -> Iterator[bytes]:
        note = self._note
        try:
            for chunk in self._body:
                note(len(chunk))
                yield chunk
        except GeneratorExit:  # the server has thrown us away: that is no error of the app
            raise
        except BaseException:
            self._request.ended(_RAISED)
            raise
        self._request.ended(_EXHAUSTED)

    def close(self) -> None:
        """The end of the request; the app's own ``close`` is called where it has one."""
        self._request.closing()
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._request.file()


class _SizedBody(_Body):
    """The same around an iterable with a length."""

    _body: Any

    def __len__(self) -> int:
        return len(self._body)


class _FileBody:
    """An open file as an iterable of blocks."""

    def __init__(self, file: Any) -> None:
        self._file = file
        if hasattr(file, "close"):
            self.close = file.close

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self._file.read(_BLOCK_BYTES), b"")


def _reset_mark() -> int:
    """Set the process's high-water mark to its present resident set, and return that (bytes).

    Source: proc(5), clear_refs. MISSING where the kernel has no such mark.
    """
    try:
        file = os.open("/proc/self/clear_refs", os.O_WRONLY)
    except OSError:
        return MISSING
    try:
        os.write(file, b"5")
    finally:
        os.close(file)
    return _memory_bytes(b"VmRSS:")


def _memory_bytes(name: bytes) -> int:
    """A ``Vm...`` line of /proc/self/status (proc(5)), in bytes; MISSING where there is none."""
    try:
        file = os.open("/proc/self/status", os.O_RDONLY)
    except OSError:
        return MISSING
    try:
        _, found, rest = os.read(file, 8192).partition(name)
    finally:
        os.close(file)
    return int(rest.split(None, 1)[0]) * 1024 if found else MISSING


def __getattr__(name: str) -> Ledger:
    """``app``: the ledger around the app that the environment names, made when it is first asked for."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, path = os.environ[APP_VARIABLE].partition(":")
    path, is_factory, _ = path.partition("()")
    found: Any = importlib.import_module(module)
    for attribute in path.split("."):
        found = getattr(found, attribute)
    if is_factory:
        found = found()
    kind = LedgerAround if os.environ.get(INSIDE_VARIABLE) else Ledger
    ledger = globals()["app"] = kind(found, os.environ[FILE_VARIABLE])
    return ledger
