"""The server process: `python -I tests/synthetic/__main__.py`, the standard library alone.

Standard output gives one line of JSON with the port; then each line on standard input is a
command (`truth SECONDS`, `counts`, `reset`, `errors`) that is answered by one line of JSON. The
end of standard input ends the process, so that it never outlives the test, however that died.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .ledger import Ledger

_HERE = Path(__file__).resolve().parent
_BACKLOG = 1024
_ORPHAN_CHECK_S = 1.0


def _sibling(name: str) -> Any:
    """A module of this package, which an isolated interpreter does not find by itself."""
    if str(_HERE.parent) not in sys.path:
        sys.path.append(str(_HERE.parent))
    return importlib.import_module(f"{_HERE.name}.{name}")


def _accept(listener: socket.socket, ledger: Ledger) -> None:
    connection = _sibling("connection").Connection
    while True:
        sock, _ = listener.accept()
        served = connection(sock, time.monotonic_ns(), ledger)
        threading.Thread(target=served.run, daemon=True).start()


def _commands() -> list[str]:
    """The next lines of standard input; ends the process with it, or with the parent."""
    parent, pending = os.getppid(), b""
    while True:
        ready, _, _ = select.select([0], [], [], _ORPHAN_CHECK_S)
        data = os.read(0, 4096) if ready else b""
        if (ready and not data) or os.getppid() != parent:
            os._exit(0)  # the connections' threads are not waited for
        pending += data
        if pending.endswith(b"\n"):
            return pending.decode().splitlines()


def _obey(command: str, ledger: Ledger) -> dict[str, Any]:
    match command.split():
        case ["truth", settle_s]:
            return ledger.requests(float(settle_s))
        case ["counts"]:
            return ledger.counts()
        case ["reset"]:
            ledger.reset()
            gc.collect()
    return {}


def _answer(message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def main(send_buffer: int) -> None:
    """Serve until standard input ends; `send_buffer` 0 leaves SO_SNDBUF to the kernel."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the test's to handle
    with suppress(OSError):  # Linux, inherited by threads: else each sleep ends 50 us late
        Path("/proc/self/timerslack_ns").write_text("1", encoding="ascii")
    sys.setswitchinterval(1e-4)  # else a busy thread keeps the GIL from a due one for 5 ms
    gc.disable()  # no pause in the middle of a pace; `reset` collects
    ledger: Ledger = _sibling("ledger").Ledger()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if send_buffer:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    listener.bind(("127.0.0.1", 0))
    listener.listen(_BACKLOG)
    threading.Thread(target=_accept, args=(listener, ledger), daemon=True).start()
    _answer({"port": listener.getsockname()[1]})
    while True:
        for command in _commands():
            _answer(_obey(command, ledger) | ledger.errors())


if __name__ == "__main__":
    main(int(next(iter(sys.argv[1:]), 0)))
