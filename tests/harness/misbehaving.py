"""A server that misbehaves in the way that its second word names: ``misbehaving.py BIND WAY [FOLDER]``.

It answers its readiness path first, but for those that never start. Run as a program of its own.
"""

from __future__ import annotations

import contextlib
import http.server
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

BODY = b"a,b\n" * 100
#: The share of memory of the one who takes too much, and what he is allowed.
LIMIT_BYTES = 64 << 20

_EATER = (
    "import pathlib, os, sys;"
    "pathlib.Path(sys.argv[1], 'cgroup.procs').write_text(str(os.getpid()));"
    "held = bytearray(128 << 20)"
)


class Handler(http.server.BaseHTTPRequestHandler):
    """One of the ways, for every path but ``/ready``."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    way = "well"
    asked = 0

    def do_GET(self) -> None:
        Handler.asked += self.path != "/ready"
        if self.path != "/ready":
            getattr(self, self.way)()
        else:
            self.well()

    def well(self) -> None:
        self._begin(len(BODY))
        self.wfile.write(BODY)

    def killed(self) -> None:
        if Handler.asked > 2:
            os.kill(os.getpid(), signal.SIGKILL)
        self.well()

    def exits(self) -> None:
        sys.stderr.write("no more orders today\n")
        sys.stderr.flush()
        os._exit(7)

    def hangs(self) -> None:
        time.sleep(3600)

    def betrays(self) -> None:
        """Sends the process that the command names a signal: whoever asks, say."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(sys.argv[3]), int(sys.argv[4]))
        time.sleep(3600)

    def drips(self) -> None:
        self._begin(len(BODY))
        for byte in BODY:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.02)

    def slow(self) -> None:
        time.sleep(0.5)
        self.well()

    def short(self) -> None:
        self._begin(len(BODY))
        self.wfile.write(BODY[:7])
        self.wfile.flush()
        self.close_connection = True

    def leaks(self) -> None:
        _leaked.append(bytearray(b"x") * (1 << 20))
        self.well()

    def eats(self) -> None:
        """A child is killed by the kernel, in a control group with a limit; the server itself goes on."""
        subprocess.run([sys.executable, "-c", _EATER, sys.argv[3]], check=False)
        os.kill(os.getpid(), signal.SIGKILL)

    def _begin(self, length: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silent."""


_leaked: list[bytearray] = []


def main() -> None:
    bind, way = sys.argv[1:3]
    if way == "never":
        time.sleep(3600)
    if way == "breaks":
        sys.exit("there is no database")
    if way == "mute":  # accepts, and says nothing
        import socket  # noqa: PLC0415

        host, _, port = bind.partition(":")
        with socket.create_server((host, int(port)), backlog=1):
            time.sleep(3600)
    if way == "hangs":  # and does not end when it is asked to
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Handler.way = way
    if way == "eats":
        Path(sys.argv[3], "cgroup.procs").write_text(str(os.getpid()))
    host, _, port = bind.partition(":")
    http.server.ThreadingHTTPServer((host, int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
