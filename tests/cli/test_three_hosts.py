"""A run across three hosts: a target and two that make its load, one of which is cut off in the middle."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from results.faults import Fault
from results.records import COLUMN
from results.run import standing
from results.store import Store
from tests.cli.conftest import PROGRAM, environment
from tests.hosts import TARGET, Host, cut, hosts, mend
from tests.programs import need_time_namespaces

TOKEN = "only those who have this may join"
AHEAD_S = 1_000_000
SUITE = """
name = "three-hosts"
blocks = 3
warmup = "0.2s"
window = "0.8s"
trace = false

[[target]]
name = "flights.csv"
command = "{python} -m gunicorn -k gthread --threads 4 -b {{bind}} --access-logfile {log} \
--access-logformat '%(p)s %(h)s %(U)s' targets.csv_app:app"
ready = "/csv?total=1"
baseline = "/csv?total={{total}}"
stream = "/csv/rows?total={{total}}&rows={{rows}}"
total = 2000
rows = [500]

[[scenario]]
kind = "download"
users = 3
"""


@contextlib.contextmanager
def started(words: Sequence[str], folder: Path, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command line that goes on beside the test, and ends with it; the file of this name has its words."""
    with (folder / name).open("wb") as said:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=environment() | {"STREAMGAUGE_TOKEN": TOKEN},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def wait_for(text: str, file: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while text not in file.read_text():
        assert process.poll() is None, file.read_text()
        assert time.monotonic() < deadline, file.read_text()
        time.sleep(0.05)


def test_one_that_is_cut_off_costs_a_trial_and_no_record(tmp_path: Path) -> None:
    log, store = tmp_path / "access.log", tmp_path / "run.sqlite"
    suite = tmp_path / "three.toml"
    suite.write_text(SUITE.format(python=sys.executable, log=log))
    clock = [*need_time_namespaces(), "--monotonic", str(AHEAD_S)]
    with hosts("load-a", "load-b") as (target, one, other):
        run = target.command(
            *(PROGRAM, "run", str(suite), "--listen", TARGET, "--expect-workers", "2"),
            *("--output", str(store), "--no-report"),
        )
        lend = [PROGRAM, "worker", "--master", TARGET, "--patience", "60s"]
        with (
            started(run, tmp_path, "run.txt") as running,
            started(one.command(*clock, *lend), tmp_path, "one.txt") as first,
            started(other.command(*lend), tmp_path, "other.txt") as second,
        ):
            wait_for("[2/", tmp_path / "run.txt", running)
            cut(target, other)
            time.sleep(5)
            mend(target, other)
            code = running.wait(120)
            said = (tmp_path / "run.txt").read_text()
            assert (first.wait(20), second.wait(20)) == (0, 0), said
    assert code in {0, 3}, said  # 3 where the machine spoilt too many trials
    assert "measured once more; a worker that is gone is waited for" in said
    assert "the run is over" in (tmp_path / "one.txt").read_text()
    with Store.open(store) as kept:
        _check(kept, log, {"load-a": one, "load-b": other})


def _check(kept: Store, log: Path, by_name: dict[str, Host]) -> None:
    run = kept.read()
    assert run.finished_utc
    workers = {worker.number: by_name[worker.host] for worker in run.workers}
    assert sorted(host.name for host in workers.values()) == ["load-a", "load-b"]
    lost = [trial for trial in run.trials if trial.fault is Fault.WORKER_LOST]
    assert lost
    assert all("load-b/0" in (trial.reason or "") for trial in lost)
    stand = standing(run.trials)
    assert len(stand) == 9, "three blocks, and in each the whole form twice"
    assert {trial.fault for trial in stand} <= {None, Fault.LOAD_BEHIND, Fault.MACHINE_DISTURBED}
    asked = Counter(tuple(line.split()[:2]) for line in log.read_text().splitlines())
    for trial in stand:
        assert [share.worker for share in trial.workers] == sorted(workers)
        _check_counts(kept, trial.slot.position, workers, asked)
    offsets = {workers[share.worker].name: share for trial in stand for share in trial.workers}
    assert offsets["load-b"].offset_ns == 0, "the same clock"
    ahead = offsets["load-a"]
    assert ahead.offset_ns is not None
    assert ahead.offset_bound_ns is not None
    assert abs(ahead.offset_ns - AHEAD_S * 10**9) <= ahead.offset_bound_ns < 10**8


def _check_counts(
    kept: Store, position: int, workers: dict[int, Host], asked: Counter[tuple[str, ...]]
) -> None:
    """As many requests of each worker as the server itself wrote down from its address, in that trial."""
    pids = {f"<{process.pid}>" for process in kept.processes(position)}
    made = Counter(int(value) for value in kept.requests(position)[:, COLUMN["worker"]])
    for number, host in workers.items():
        served = sum(asked[pid, host.address] for pid in pids)
        assert made[number] == served > 0
