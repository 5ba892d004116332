"""What a run needs besides its plan: all of it is started, and ends, together."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from harness.loading.crew import Crew
from harness.loading.line import Link, linked
from harness.loading.load import LoadDriver
from harness.programs.cores import Cores
from harness.programs.ports import HOST
from harness.programs.private_folder import private_folder
from harness.programs.processes import Processes
from harness.servers.serving import RunningServer, serving
from harness.suites.matrix import PlannedCase
from results.drops import LineDrops


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a run needs besides its plan: processes, a driver, a private folder, cores, a Python.

    ``crew`` is who shares the load, null where the driver makes it alone; ``link`` what it asks over, null
    for the loopback interface.
    What it starts listens at the IP address ``host``: there the driver asks.
    """

    processes: Processes
    driver: LoadDriver
    folder: Path
    cores: Cores
    python: str
    host: str = HOST
    crew: Crew | None = None
    link: Link | None = None

    def serving(self, planned: PlannedCase) -> AbstractContextManager[RunningServer]:
        """A case's server, as `harness.servers.serving.serving` has it."""
        return serving(
            planned,
            processes=self.processes,
            folder=self.folder,
            cores=self.cores.server,
            python=self.python,
            host=self.host,
        )

    def over_line_of(self, planned: PlannedCase) -> None:
        """From now on the load asks over the case's line, if it has one. Raises LineFailed."""
        if self.link is not None and planned.line is not None:
            self.link.shape(planned.line)

    def dropped_on_line_of(self, planned: PlannedCase) -> LineDrops | None:
        """What the queues of its line have dropped so far; null where it has none. Raises LineFailed."""
        if self.link is None or planned.line is None or not planned.line.has_queue:
            return None
        return self.link.dropped()


@contextlib.contextmanager
def workshop(
    cores: Cores,
    web_port: int | None = None,
    host: str = HOST,
    crew: Crew | None = None,
    *,
    lined: bool = False,
) -> Iterator[Workshop]:
    """Everything that is started ends with the block, and with this process, however that ends.

    With a ``web_port`` Locust's web UI shows the load there. With a ``crew`` its members make the load.
    ``lined``: all that makes load is at the other end of a link of its own.
    """
    with (
        private_folder() as folder,
        _pinned(cores),
        Processes(folder) as processes,
        linked(processes, folder) if lined else contextlib.nullcontext() as link,
        LoadDriver(
            processes,
            folder,
            cores.load,
            web_port,
            crew=crew,
            master_cores=cores.harness,
            prefix=() if link is None else link.prefix,
        ) as driver,
    ):
        at = host if link is None else link.host
        yield Workshop(processes, driver, folder, cores, sys.executable, at, crew, link)


@contextlib.contextmanager
def _pinned(cores: Cores) -> Iterator[None]:
    """This process's main thread on the harness's cores; threads that it starts inherit them."""
    if cores.harness is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores.harness)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
