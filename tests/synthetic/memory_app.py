"""A WSGI app with known allocations and known CPU, for a real server to run.

    gunicorn --chdir tests/synthetic memory_app:app

    /small              nothing
    /hold?mib=64&ms=5   64 MiB, every page touched, held for 5 ms, given back to the kernel
    /leak?mib=1         1 MiB, touched, kept for the life of the worker
    /burn?ms=20         20 ms of CPU in the thread that serves
    /burn-thread?ms=20  20 ms of CPU in a thread that has exited before the answer
    /burn-process?ms=20 20 ms of CPU in a process that has exited before the answer

Each takes `kib` too: the size of the answer's body. Equal paths give equal bodies. The truth is
in the field `X-Truth` as JSON and, when the environment's SYNTHETIC_TRUTH names a file, a line
in it.
"""

from __future__ import annotations

import json
import mmap
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

Truth = dict[str, int | str | None]

_MIB = 1 << 20
_BLOCK = b"0123456789abcde\n" * 4096  # yielded again and again: a body costs no memory
_leaked: list[mmap.mmap] = []


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Do what the path says, then answer."""
    route = _ROUTES.get(environ["PATH_INFO"])
    if route is None:
        start_response("404 Not Found", [("Content-Length", "0")])
        return []
    words = {name: float(texts[0]) for name, texts in parse_qs(environ["QUERY_STRING"]).items()}
    size = int(words.pop("kib", 1) * 1024)
    truth: Truth = {
        "route": environ["PATH_INFO"],
        "pid": os.getpid(),
        "thread": threading.get_native_id(),
        "begun_ns": time.monotonic_ns(),
        **route(**words),
        "ended_ns": time.monotonic_ns(),
        "body_bytes": size,
    }
    line = json.dumps(truth)
    _tell(line)
    fields = [
        ("Content-Type", "text/plain"),
        ("Content-Length", str(size)),
        ("X-Truth", line),
    ]
    start_response("200 OK", fields)
    return _body(size)


def _small() -> Truth:
    return {}


def _hold(mib: float = 64, ms: float = 5) -> Truth:
    before = _resident_bytes()
    with _touched(mib) as block:
        begun = time.monotonic_ns()
        during = _resident_bytes()
        while (left_ns := begun + ms * 1e6 - time.monotonic_ns()) > 0:
            time.sleep(left_ns / 1e9)
        held = time.monotonic_ns() - begun
        allocated = len(block)
    return {
        "allocated_bytes": allocated,
        "held_ns": held,
        "resident_before_bytes": before,
        "resident_during_bytes": during,
    }


def _leak(mib: float = 1) -> Truth:
    block = _touched(mib)
    _leaked.append(block)
    return {"allocated_bytes": len(block), "leaked_bytes": sum(map(len, _leaked))}


def _burn(ms: float = 20) -> Truth:
    begun = time.thread_time_ns()
    while (burnt := time.thread_time_ns() - begun) < ms * 1e6:
        pass
    return {"burnt_ns": burnt}


def _burn_process(ms: float = 20) -> Truth:
    """The same in a process that comes and goes within the request."""
    code = "import sys,time\nwhile time.process_time() < float(sys.argv[1]) / 1e3: pass"
    subprocess.run([sys.executable, "-I", "-S", "-c", code, str(ms)], check=True)
    return {"burnt_ns": round(ms * 1e6)}


def _burn_thread(ms: float = 20) -> Truth:
    truth: Truth = {}
    thread = threading.Thread(target=lambda: truth.update(_burn(ms)))
    thread.start()
    thread.join()
    return truth


_ROUTES: dict[str, Callable[..., Truth]] = {
    "/small": _small,
    "/hold": _hold,
    "/leak": _leak,
    "/burn": _burn,
    "/burn-thread": _burn_thread,
    "/burn-process": _burn_process,
}


def _touched(mib: float) -> mmap.mmap:
    """A mapping of its own, not the allocator's: closing it gives every page back."""
    size = int(mib * _MIB)
    block = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    pages = range(0, size, mmap.PAGESIZE)
    block[:: mmap.PAGESIZE] = b"\1" * len(pages)
    return block


def _resident_bytes() -> int | None:
    """VmRSS of this process; None where there is no /proc."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line)


def _body(size: int) -> Iterator[bytes]:
    for start in range(0, size, len(_BLOCK)):
        yield _BLOCK[: size - start]


def _tell(line: str) -> None:
    name = os.environ.get("SYNTHETIC_TRUTH")
    if name:
        # One write to a file opened for appending: workers do not mix their lines.
        file = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, line.encode() + b"\n")
        finally:
            os.close(file)
