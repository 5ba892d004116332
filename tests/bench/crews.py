"""Load drivers for a bench, with load processes here, on other hosts, or made up; what processes take."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psutil

from harness.loading.crew import Crew, own_crew
from harness.loading.lending import Lent, lend
from harness.loading.load import LoadDriver, LoadFailed
from harness.programs.cores import Cores
from harness.programs.ports import HOST
from harness.programs.processes import Processes, own_environment
from harness.programs.scheduling import DRIVER, first_in_line
from harness.trials.repetition import MOST_ATTEMPTS
from results.records import COLUMN, LoadRecord, Outcome
from scenarios.specification import Address, Download, TrialSpecification
from scenarios.workers.settings import TOKEN_VARIABLE, Settings
from tests.hosts import Host

_TOKEN = "the token of a bench, which ends with it"
_PATIENCE_S = 60.0
_MADE_UP_WINDOW_S = 0.01


@dataclass(frozen=True, slots=True)
class Bench:
    """What all drivers of a bench have: who owns their processes, and a folder that is private."""

    processes: Processes
    folder: Path

    def new_folder(self, name: str) -> Path:
        """One for a driver of its own."""
        made = self.folder / name.replace(" ", "-")
        made.mkdir()
        return made


@contextlib.contextmanager
def alone(bench: Bench, name: str, cores: Cores) -> Iterator[LoadDriver]:
    """A driver that makes the load itself."""
    with LoadDriver(bench.processes, bench.new_folder(name), cores.load) as driver:
        yield driver


@contextlib.contextmanager
def of_this_machine(bench: Bench, name: str, cores: Cores, workers: int) -> Iterator[LoadDriver]:
    """One with so many load processes, as ``run --processes`` has them."""
    with LoadDriver(
        bench.processes,
        bench.new_folder(name),
        cores.load,
        crew=own_crew(workers, _TOKEN),
        master_cores=cores.harness,
    ) as driver:
        driver.muster()
        yield driver


@contextlib.contextmanager
def of_hosts(
    bench: Bench, name: str, cores: Cores, listen: str, hosts: Sequence[Host]
) -> Iterator[LoadDriver]:
    """One with a load process on each of these hosts, as ``run --listen`` has them."""
    folder = bench.new_folder(name)
    crew = _crew(len(hosts), listen)
    with LoadDriver(bench.processes, folder, None, crew=crew, master_cores=cores.harness) as driver:
        for number, host in enumerate(hosts):
            where = Lent(listen, driver.port, _TOKEN, cores.load, _PATIENCE_S, prefix=host.command())
            lend(where, number, processes=bench.processes, folder=folder, environment=own_environment())
        driver.muster()
        yield driver


@dataclass(frozen=True, slots=True)
class MadeUp:
    """A driver whose workers make their records up, and the processes of these."""

    driver: LoadDriver
    pids: Sequence[int]


@contextlib.contextmanager
def of_made_up(bench: Bench, name: str, cores: Cores, workers: int) -> Iterator[MadeUp]:
    """One with so many workers as `tests.bench.made_up_worker` has them."""
    folder = bench.new_folder(name)
    crew = _crew(workers, HOST)
    with LoadDriver(bench.processes, folder, None, crew=crew, master_cores=cores.harness) as driver:
        settings = Settings(
            HOST, driver.port, "made up", "here", "a system", "", None, None, patience_s=_PATIENCE_S
        )
        pids = []
        for number in range(workers):
            told = json.dumps(asdict(replace(settings, name=f"made up {number}")))
            process = bench.processes.start(
                [sys.executable, "-P", "-m", "tests.bench.made_up_worker", told],
                cwd=folder,
                env=own_environment() | {TOKEN_VARIABLE: _TOKEN},
                output=folder / f"made-up-{number}.log",
                cpus=cores.harness,
            )
            if cores.harness is not None:
                first_in_line(process.pid, DRIVER)  # as those that are lent
            pids.append(process.pid)
        driver.muster()
        yield MadeUp(driver, pids)


def made_up(records: int) -> TrialSpecification:
    """Has such a driver's workers hand over so many records, all together."""
    nobody = Address(HOST, 9, "GET", "/", (), timeout_s=10, keep_alive=True)
    return TrialSpecification(nobody, "made up", Download(records), 0, _MADE_UP_WINDOW_S, 200, 0, None)


def _crew(workers: int, listen: str) -> Crew:
    return Crew(workers, workers, listen, 0, _TOKEN, patience_s=_PATIENCE_S, muster_s=_PATIENCE_S)


def cpu_ns(pid: int) -> int:
    """CPU time of all threads of a process so far (clock_getcpuclockid(3)); Linux only."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def tree_cpu_ns(pid: int) -> int:
    """The same of a process and of those that it has started."""
    return sum(cpu_ns(process) for process in (pid, *(one.pid for one in psutil.Process(pid).children())))


def measured(run: Callable[[TrialSpecification], LoadRecord], asked: TrialSpecification) -> LoadRecord:
    """One trial, which is made again where a worker of it was lost, as in a run.

    Raises LoadFailed when that has happened too often, and SystemExit where a response failed.
    """
    for left in reversed(range(MOST_ATTEMPTS)):
        try:
            record = run(asked)
            break
        except LoadFailed:
            if not left:
                raise
    if (record.requests[:, COLUMN["outcome"]] != Outcome.VERIFIED).any():
        raise SystemExit(f"responses failed: {dict(record.errors)}")
    return record
