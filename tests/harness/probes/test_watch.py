"""The watch over a real gunicorn whose app says what it allocated and what it burnt."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from analysis.trial.figures import figures_of_trial
from harness.probes.watch import ServerChanged, ServerWatch
from harness.programs.ports import free_port
from harness.programs.processes import OwnedProcess, Processes, own_environment
from results.records import REQUEST_FIELDS, LoadRecord, ProcessMemory, ServerRecord, unpack_requests
from targets.servers import gunicorn

SYNTHETIC = Path(__file__).parents[2] / "synthetic"
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Running:
    process: OwnedProcess
    port: int

    def ask(self, path: str) -> dict[str, int]:
        """Ask the app and return its own account of what it did."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as response:
            response.read()
            account: dict[str, int] = json.loads(response.headers["X-Truth"])
            return account


@contextmanager
def memory_app(folder: Path, *, workers: int = 1) -> Iterator[Running]:
    with Processes() as processes:
        port = free_port()
        process = processes.start(
            gunicorn.arguments(
                gunicorn.Options(workers=workers),
                app="memory_app:app",
                host="127.0.0.1",
                port=port,
                python=sys.executable,
            ),
            cwd=SYNTHETIC,
            env=own_environment(),
            output=folder / "server.log",
        )
        running = Running(process, port)
        deadline = time.monotonic() + 30
        while True:
            try:
                running.ask("/small")
                break
            except OSError:
                assert time.monotonic() < deadline, process.output_tail()
                time.sleep(0.02)
        yield running


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with memory_app(tmp_path_factory.mktemp("app")) as running:
        yield running


def watched(app: Running, *paths: str) -> tuple[ServerRecord, list[dict[str, int]]]:
    watch = ServerWatch(app.process.pid, None)
    try:
        watch.reset()
        accounts = [app.ask(path) for path in paths]
        return watch.read("sync"), accounts
    finally:
        watch.close()


def figures(record: ServerRecord) -> dict[str, float | None]:
    one_response = unpack_requests(b"").reshape(-1, len(REQUEST_FIELDS))
    load = LoadRecord(0, 1, 1, one_response, {}, 0, 0)
    return figures_of_trial(load, record)


linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's high-water mark is Linux's")


@linux
def test_a_block_held_for_5_ms_shows_up_in_peak_memory(app: Running) -> None:
    record, accounts = watched(app, "/small", "/hold?mib=64&ms=5", "/small")
    held = accounts[1]["resident_during_bytes"] - accounts[1]["resident_before_bytes"]
    assert held >= 64 * MIB
    peak = figures(record)["peak_memory"]
    assert peak is not None
    assert abs(peak - 64 * MIB) <= 2 * MIB


@linux
def test_the_reset_forgets_what_was_held_before(app: Running) -> None:
    app.ask("/hold?mib=64&ms=5")
    record, _ = watched(app, "/hold?mib=8&ms=1")
    peak = figures(record)["peak_memory"]
    assert peak is not None
    assert abs(peak - 8 * MIB) <= 2 * MIB


@pytest.mark.parametrize(("path", "kept"), [("/leak?mib=12", 12), ("/hold?mib=12&ms=5", 0)])
def test_what_is_leaked_is_retained_and_what_was_given_back_is_not(
    app: Running, path: str, kept: int
) -> None:
    record, _ = watched(app, path)
    retained = figures(record)["retained"]
    assert retained is not None
    assert abs(retained - kept * MIB) <= 2 * MIB


def test_cpu_and_marks_are_read_before_memory_has_settled(
    app: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the server does while it settles is in what it retained, and in nothing else."""

    def settle(_: float) -> None:
        app.ask("/burn?ms=100")
        app.ask("/leak?mib=12")

    monkeypatch.setattr("harness.probes.watch.time.sleep", settle)
    record, _ = watched(app, "/small")
    assert record.cpu_ns < 50e6
    found = figures(record)
    assert found["retained"] is not None
    assert found["retained"] >= 12 * MIB
    assert found["peak_memory"] is not None
    assert found["peak_memory"] <= 2 * MIB


@linux
def test_what_sampling_misses_is_told(app: Running) -> None:
    """Held far longer than the sampling interval: seen. Held for a moment: mostly missed, and said so."""
    long, _ = watched(app, "/hold?mib=32&ms=300")
    missed = figures(long)["peak_missed"]
    assert missed is not None
    assert missed <= 2 * MIB
    short, _ = watched(app, *["/hold?mib=32&ms=0"])
    marks = [(process.hwm_bytes, process.sampled_peak_bytes) for process in short.processes]
    expected = max(0, *(mark - sampled for (mark, sampled) in marks[1:] if mark is not None))
    assert figures(short)["peak_missed"] == expected


def test_the_timeline_shows_the_block_while_it_is_held(app: Running) -> None:
    record, accounts = watched(app, "/small", "/hold?mib=48&ms=400", "/small")
    begun, ended = accounts[1]["begun_ns"], accounts[1]["ended_ns"]
    worker = next(process for process in record.processes if process.role == "worker")
    inside = [s.rss_bytes for s in record.samples if s.pid == worker.pid and begun < s.at_ns < ended]
    assert abs(max(inside) - worker.rss_at_reset_bytes - 48 * MIB) <= 2 * MIB
    assert len(inside) >= 3


@linux
def test_cpu_is_that_of_all_threads_also_of_those_that_ended(app: Running) -> None:
    record, accounts = watched(app, "/burn?ms=150", "/burn-thread?ms=150")
    burnt = sum(account["burnt_ns"] for account in accounts)
    assert burnt >= 300e6
    assert burnt <= record.cpu_ns <= burnt + 60e6


@linux
def test_processes_that_came_and_went_cost_cpu_and_leave_memory_untold(app: Running) -> None:
    record, _ = watched(app, "/burn-process?ms=200", "/burn-process?ms=1")
    assert record.cpu_ns >= 200e6
    assert figures(record)["peak_memory"] is None
    assert "came and went" in record.memory_method


@linux
def test_a_sampled_peak_above_the_kernel_s_approximate_mark_counts() -> None:
    process = ProcessMemory(1, "worker", 1000, 5000, 1000, 6000)
    record = ServerRecord("sync", 0, [process], [], None, None, "", "")
    assert figures(record)["peak_memory"] == 5000
    assert figures(record)["peak_missed"] == 0


def test_an_idle_server_costs_next_to_nothing(app: Running) -> None:
    record, _ = watched(app)
    assert record.cpu_ns < 50e6
    assert {process.role for process in record.processes} == {"master", "worker"}


def test_memory_of_the_largest_worker_counts(tmp_path: Path) -> None:
    with memory_app(tmp_path, workers=2) as app:
        while len(psutil.Process(app.process.pid).children()) < 2:
            time.sleep(0.02)
        time.sleep(1)  # the second worker imports the app
        record, accounts = watched(app, "/hold?mib=32&ms=5", "/small")
        workers = {process.pid for process in record.processes if process.role == "worker"}
        assert len(workers) == 2
        assert accounts[0]["pid"] in workers
        if sys.platform == "linux":
            peak = figures(record)["peak_memory"]
            assert peak is not None
            assert abs(peak - 32 * MIB) <= 2 * MIB


def test_a_worker_that_was_replaced_is_no_figure(tmp_path: Path) -> None:
    with memory_app(tmp_path) as app:
        watch = ServerWatch(app.process.pid, None)
        watch.reset()
        os.kill(app.ask("/small")["pid"], 9)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                app.ask("/small")
                break
            except OSError:
                time.sleep(0.05)
        with pytest.raises(ServerChanged, match="server"):
            watch.read("sync")
