import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from targets.flights import ensure_loaded
from targets.servers import KINDS


@pytest.fixture(scope="session")
def loaded_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for these tests alone, loaded once for all of them."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        ensure_loaded()
    return cache


@pytest.fixture(autouse=True)
def flights_cache(loaded_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let each test use the loaded cache, and no test of another folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(loaded_cache))
    return loaded_cache


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes
    complete: bool


@dataclass(frozen=True, slots=True)
class Served:
    """A real server on a free port of this machine."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def get(self, path: str) -> Answer:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            connection.request("GET", path)
            response = connection.getresponse()
            try:
                return Answer(response.status, response.headers, response.read(), complete=True)
            except http.client.IncompleteRead as error:
                return Answer(response.status, response.headers, error.partial, complete=False)

    def accepts(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def processes_left(self) -> bool:
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def stop(self) -> None:
        # Not SIGINT: with it a gthread worker that is just handing a request to its pool deadlocks.
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., AbstractContextManager[Served]]:
    """Start gunicorn with the arguments that the harness would use, and end all of it."""

    @contextmanager
    def start(app: str, kind: str = "gunicorn", **options: object) -> Iterator[Served]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = KINDS[kind]
        command = server.arguments(
            server.read_options(options), app=app, host="127.0.0.1", port=port, python=sys.executable
        )
        log = tmp_path / "server.log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=tmp_path, stderr=output, start_new_session=True)
        served = Served(port, process, log)
        try:
            deadline = time.monotonic() + 20
            while not served.accepts():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.01)
            yield served
        finally:
            if served.processes_left():
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    return start
