"""A driver with a crew of real load processes, some of whose clocks show another time."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import xxhash

from harness.loading.crew import Crew
from harness.loading.lending import Lent, LentProcess, lend
from harness.loading.load import LoadDriver
from harness.programs.processes import Processes, own_environment
from scenarios.specification import Address, Download, TrialSpecification
from tests.programs import need_time_namespaces
from tests.synthetic import SyntheticServer

TOKEN = "a token that nobody guesses"
#: By so much (s) the other clock is ahead.
AHEAD_S = 1_000_000


@dataclass(slots=True)
class Running:
    """A driver and those who have joined it; more may be lent."""

    driver: LoadDriver
    processes: Processes
    folder: Path
    host: str
    lent: list[LentProcess]

    def lend(
        self, prefix: Sequence[str] = (), *, token: str = TOKEN, patience_s: float = 20, python_path: str = ""
    ) -> LentProcess:
        """One more load process; ``prefix`` goes before its command."""
        where = Lent(self.host, self.driver.port, token, None, patience_s, prefix=prefix)
        environment = own_environment() | ({"PYTHONPATH": python_path} if python_path else {})
        process = lend(
            where, len(self.lent), processes=self.processes, folder=self.folder, environment=environment
        )
        self.lent.append(process)
        return process


def other_clock() -> list[str]:
    """The words before a command whose CLOCK_MONOTONIC is to be `AHEAD_S` ahead of ours."""
    return [*need_time_namespaces(), "--monotonic", str(AHEAD_S)]


@contextlib.contextmanager
def crew_of(
    prefixes: Sequence[Sequence[str]],
    *,
    enough: int | None = None,
    patience_s: float = 10,
    host: str = "127.0.0.1",
) -> Iterator[Running]:
    """One load process for each prefix of its command, all of them joined."""
    expected = len(prefixes)
    crew = Crew(expected, enough or expected, host, 0, TOKEN, patience_s=patience_s, muster_s=60)
    with (
        tempfile.TemporaryDirectory(prefix="sg-") as folder,
        Processes() as processes,
        LoadDriver(processes, Path(folder), cores=None, crew=crew) as driver,
    ):
        running = Running(driver, processes, Path(folder), host, [])
        for prefix in prefixes:
            running.lend(prefix)
        driver.muster()
        yield running


def asked(server: SyntheticServer, path: str, **changes: object) -> TrialSpecification:
    """A short trial of four users on this path."""
    body = server.body(path)
    given = TrialSpecification(
        address=Address(server.host, server.port, "GET", path, (), timeout_s=10, keep_alive=True),
        name="synthetic",
        load=Download(4),
        warmup_s=0.1,
        window_s=0.4,
        status=200,
        body_bytes=len(body),
        digest=xxhash.xxh3_64_intdigest(body),
    )
    return replace(given, **changes)  # type: ignore[arg-type]
