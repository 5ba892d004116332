"""The memory app under a real gunicorn: what it says it took is what the kernel says."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
MIB = 1 << 20

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="reads the kernel's own figures from /proc"
)


class Gunicorn:
    def __init__(self, port: int, log: Path) -> None:
        self._port = port
        self.log = log

    def get(self, path: str) -> tuple[dict[str, Any], bytes]:
        """The truth and the body."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return json.loads(response.headers["X-Truth"] or "{}"), response.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def gunicorn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gunicorn]:
    log = tmp_path_factory.mktemp("truth") / "truth.jsonl"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        bind = f"fd://{listener.fileno()}"
        command = [sys.executable, "-m", "gunicorn", "--log-level", "error", "--bind", bind]
        with subprocess.Popen(
            [*command, "--chdir", str(HERE), "memory_app:app"],
            pass_fds=[listener.fileno()],
            env={**os.environ, "SYNTHETIC_TRUTH": str(log)},
        ) as process:
            try:
                yield Gunicorn(listener.getsockname()[1], log)
            finally:
                process.terminate()


def kib(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":"))


def cpu_ns(pid: int) -> int:
    """Of the whole process, threads that have exited included."""
    return time.clock_gettime_ns(~pid << 3 | 2)


def test_a_block_held_for_some_milliseconds_is_in_the_high_water_mark(gunicorn: Gunicorn) -> None:
    pid = gunicorn.get("/hold?mib=1&ms=0")[0]["pid"]
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    resident = kib(pid, "VmRSS")
    truth, _ = gunicorn.get("/hold?mib=64&ms=5")
    assert truth["allocated_bytes"] == 64 * MIB
    assert truth["held_ns"] >= 5_000_000
    assert abs(kib(pid, "VmHWM") - resident - 64 * MIB) < 2 * MIB
    assert abs(truth["resident_during_bytes"] - truth["resident_before_bytes"] - 64 * MIB) < 2 * MIB
    assert kib(pid, "VmRSS") - resident < 2 * MIB, "given back"


def test_a_leak_stays(gunicorn: Gunicorn) -> None:
    pid = gunicorn.get("/leak?mib=1")[0]["pid"]
    before = kib(pid, "VmRSS")
    leaked = [gunicorn.get("/leak?mib=4")[0]["leaked_bytes"] for _ in range(4)]
    assert [size // MIB for size in leaked] == [5, 9, 13, 17]
    assert abs(kib(pid, "VmRSS") - before - 16 * MIB) < 2 * MIB


@pytest.mark.parametrize("route", ["/burn", "/burn-thread"])
def test_the_cpu_that_it_says_it_burnt_is_on_the_process(gunicorn: Gunicorn, route: str) -> None:
    pid = gunicorn.get("/small")[0]["pid"]
    before = cpu_ns(pid)
    burnt = gunicorn.get(f"{route}?ms=50")[0]["burnt_ns"]
    assert burnt >= 50_000_000
    assert cpu_ns(pid) - before >= burnt


def test_equal_paths_give_equal_bodies_and_the_truth_is_in_the_file(gunicorn: Gunicorn) -> None:
    (first, body), (second, again) = gunicorn.get("/small?kib=100"), gunicorn.get("/small?kib=100")
    assert body == again
    assert len(body) == 100 * 1024
    lines = [json.loads(line) for line in gunicorn.log.read_text().splitlines()]
    assert lines[-2:] == [first, second]
