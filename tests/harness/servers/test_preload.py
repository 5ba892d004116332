"""Several workers and a table of 64 MiB: what a fork shares counts once, until a worker writes to it."""

from __future__ import annotations

import http.client
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from analysis.trial.figures import figures_of_trial
from harness.probes.watch import ServerWatch
from harness.programs.ports import free_port
from harness.programs.processes import OwnedProcess, Processes, own_environment
from results.records import ServerRecord
from targets.servers import gunicorn
from tests.results.examples import OPEN_NS, SECOND, load_record, request

SYNTHETIC = Path(__file__).parents[2] / "synthetic"
MIB = 1 << 20
TABLE = 64 * MIB
WORKERS = 3
MARGIN = 24 * MIB

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="PSS is Linux's")


@dataclass(frozen=True, slots=True)
class Running:
    process: OwnedProcess
    port: int

    def ask(self, path: str) -> int:
        """The pid of the worker that answered."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            return int(response.headers["X-Pid"])
        finally:
            connection.close()

    def writers(self, count: int) -> set[int]:
        """Has the table written to in so many workers; their pids."""
        deadline = time.monotonic() + 30
        found: set[int] = set()
        while len(found) < count:
            assert time.monotonic() < deadline, found
            found.add(self.ask("/write"))
        return found


@contextmanager
def table_app(folder: Path, *, preload: bool) -> Iterator[Running]:
    with Processes() as processes:
        port = free_port()
        process = processes.start(
            gunicorn.arguments(
                gunicorn.Options(workers=WORKERS, preload=preload),
                app="table_app:app",
                host="127.0.0.1",
                port=port,
                python=sys.executable,
            ),
            cwd=SYNTHETIC,
            env=own_environment(),
            output=folder / "server.log",
        )
        deadline = time.monotonic() + 60
        while not _ready(process):
            assert time.monotonic() < deadline, process.output_tail()
            time.sleep(0.05)
        yield Running(process, port)


def _ready(process: OwnedProcess) -> bool:
    """Whether all workers are there and have the table."""
    children = psutil.Process(process.pid).children(recursive=True)
    return len(children) == WORKERS and all(child.memory_info().rss > TABLE for child in children)


def tree_pss(record: ServerRecord) -> float:
    """The figure, in a trial whose warm-up held everything that was watched."""
    opened_ns = time.monotonic_ns()
    within = request(sent_ns=1, last_ns=opened_ns - 1)
    load = load_record([within], window_open_ns=opened_ns, window_close_ns=opened_ns + SECOND)
    value = figures_of_trial(load, record)["tree_pss"]
    assert value is not None
    return value


def watched(app: Running, *, writers: int = 0) -> ServerRecord:
    watch = ServerWatch(app.process.pid, None)
    try:
        watch.reset(60)
        if writers:
            app.writers(writers)
        return watch.read("sync")
    finally:
        watch.close()


def test_a_table_that_is_preloaded_counts_once_and_one_of_each_worker_three_times(tmp_path: Path) -> None:
    tables = {}
    for preload in (True, False):
        with table_app(tmp_path, preload=preload) as app:
            record = watched(app)
            roles = {process.pid: process.role for process in record.processes}
            assert roles[app.process.pid] == "master"
            assert sorted(roles.values()) == ["master", "worker", "worker", "worker"]
            resident = sum(process.rss_at_end_bytes for process in record.processes)
            tables[preload] = (tree_pss(record), resident)
    (shared, shared_resident), (apart, apart_resident) = tables[True], tables[False]
    assert abs((apart - shared) - 2 * TABLE) < MARGIN
    # the sum of RSS counts the one table in the master and in each worker: three times too often
    assert abs((shared_resident - shared) - (apart_resident - apart) - 3 * TABLE) < MARGIN


def test_copies_on_write_are_seen_by_the_tree_s_pss_alone(tmp_path: Path) -> None:
    """RSS stays: a page that was shared becomes one of the worker's own, and resident it was before."""
    with table_app(tmp_path, preload=True) as app:
        before = tree_pss(watched(app))
        record = watched(app, writers=2)
        assert abs(tree_pss(record) - before - 2 * TABLE) < MARGIN
        load = load_record([request(sent_ns=OPEN_NS)])
        growth = figures_of_trial(load, record)["peak_memory"]
        assert growth is not None
        assert growth < MARGIN
        workers = [process for process in record.processes if process.role == "worker"]
        assert all(worker.hwm_bytes is not None and worker.hwm_bytes > TABLE for worker in workers)
        grown = [
            process.pss_at_end_bytes - process.pss_at_reset_bytes
            for process in record.processes
            if process.pss_at_end_bytes is not None and process.pss_at_reset_bytes is not None
        ]
        assert len(grown) == 1 + WORKERS
        # a writer's share of the old table was a quarter of it, its own one is whole
        assert sum(growth > TABLE / 2 for growth in grown) == 2
