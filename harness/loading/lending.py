"""Load processes that join a run: started and pinned on this machine, for a run here or on another one."""

from __future__ import annotations

import json
import platform
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.programs.processes import OwnedProcess, Processes
from harness.programs.processor import cpu_model
from harness.programs.scheduling import DRIVER, first_in_line
from scenarios.workers.settings import TOKEN_VARIABLE, Settings


@dataclass(frozen=True, slots=True)
class Lent:
    """Where the processes of this machine join, and with what.

    ``cores`` are those that they are pinned to in turn, null where nothing is pinned; more processes than
    cores share them. ``prefix`` is put before their command.
    """

    host: str
    port: int
    token: str
    cores: Sequence[int] | None
    patience_s: float
    reference_port: int | None = None
    prefix: Sequence[str] = ()


@dataclass(slots=True)
class LentProcess:
    """One load process; what it has told so far is read from its output."""

    name: str
    process: OwnedProcess
    _read_bytes: int = field(default=0)

    def told(self) -> Iterator[Mapping[str, Any]]:
        """What it has told since this was asked last: see `scenarios.workers.worker`."""
        with self.process.output.open("rb") as file:
            file.seek(self._read_bytes)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read_bytes += len(line)
                if line.startswith(b'{"event"'):
                    yield json.loads(line)


class OwnWorkers:
    """So many load processes of this machine, which are started, and started anew when they have ended.

    ``folder`` is private and made by us.
    """

    def __init__(
        self, count: int, processes: Processes, folder: Path, environment: Mapping[str, str]
    ) -> None:
        self._processes = processes
        self._folder = folder
        self._environment = environment
        self._lent: list[LentProcess | None] = [None] * count

    def start(self, lent: Lent) -> None:
        """Those that do not run, or no longer. Raises StartError."""
        for number, item in enumerate(self._lent):
            if item is None or item.process.returncode is not None:
                self._lent[number] = lend(
                    lent,
                    number,
                    processes=self._processes,
                    folder=self._folder,
                    environment=self._environment,
                )

    @property
    def ended(self) -> LentProcess | None:
        """One that has ended, null where none has."""
        return next((item for item in self._lent if item and item.process.returncode is not None), None)

    def stop(self) -> None:
        """End all of them."""
        for item in self._lent:
            if item is not None:
                item.process.stop()


def lend(
    lent: Lent, number: int, *, processes: Processes, folder: Path, environment: Mapping[str, str]
) -> LentProcess:
    """Start the process of this number; ``folder`` is private and made by us. Raises StartError."""
    host = socket.gethostname()
    core = None if not lent.cores else lent.cores[number % len(lent.cores)]
    settings = Settings(
        master_host=lent.host,
        master_port=lent.port,
        name=f"{host}/{number}",
        host=host,
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        cpu=cpu_model() or "",
        core=core,
        reference_port=lent.reference_port,
        patience_s=lent.patience_s,
    )
    process = processes.start(
        [
            *lent.prefix,
            *(sys.executable, "-P", "-m", "scenarios.workers.worker", json.dumps(asdict(settings))),
        ],
        cwd=folder,
        env={**environment, TOKEN_VARIABLE: lent.token},
        output=folder / f"worker-{number}.log",
        cpus=None if core is None else [core],
    )
    if core is not None:
        first_in_line(process.pid, DRIVER)
    return LentProcess(settings.name, process)
