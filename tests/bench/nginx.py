"""A real nginx on loopback that serves a small and a large file, with a length and chunked."""

from __future__ import annotations

import contextlib
import getpass
import os
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.programs.ports import HOST, free_port
from harness.programs.processes import Processes
from harness.servers.proxying import find_program

#: The body of /small.
SMALL_BYTES = 1024
_READY_TIMEOUT_S = 10.0
_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
{user}
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    sendfile on;
    default_type text/plain;
    server {{
        listen {host}:{port} backlog=4096;
        root {folder}/files;
        location /chunked/ {{
            alias {folder}/files/;
            # looks for includes, finds none, and no longer knows the length
            ssi on;
            ssi_types text/plain;
            output_buffers 2 64k;
        }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    """Where it listens, the bodies that it serves by path, and the process that was started."""

    host: str
    port: int
    pid: int
    bodies: dict[str, bytes]

    def url(self, path: str) -> str:
        """The whole address of a path."""
        return f"http://{self.host}:{self.port}{path}"


@contextlib.contextmanager
def nginx(cores: Sequence[int] | None, large_bytes: int, host: str = HOST) -> Iterator[Nginx]:
    """Runs until the block ends; paths are /small, /large and /chunked/large.

    Raises SystemExit where no nginx is installed, and TimeoutError when it does not answer.
    """
    program = find_program("nginx")
    if program is None:
        raise SystemExit("this bench needs nginx; on Debian: apt-get install nginx")
    with tempfile.TemporaryDirectory(prefix="sg-nginx-") as name, Processes() as processes:
        folder = Path(name)
        (folder / "files").mkdir()
        small = b"0123456789abcdef" * (SMALL_BYTES // 16)
        large = (small * (large_bytes // len(small) + 1))[:large_bytes]
        (folder / "files" / "small").write_bytes(small)
        (folder / "files" / "large").write_bytes(large)
        port = free_port(host)
        user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
        text = _CONFIGURATION.format(folder=folder, user=user, host=host, port=port)
        (folder / "nginx.conf").write_text(text)
        process = processes.start(
            [str(program), "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")],
            cwd=folder,
            env=dict(os.environ),
            output=folder / "log",
            cpus=cores,
        )
        running = Nginx(host, port, process.pid, {"/small": small, "/large": large, "/chunked/large": large})
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while True:
            try:
                urllib.request.urlopen(running.url("/small"), timeout=5).close()  # noqa: S310
                break
            except OSError as error:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"nginx does not answer: {process.output_tail()}") from error
                time.sleep(0.02)
        yield running
