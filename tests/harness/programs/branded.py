"""Programs started for a test, and what is left of them: each carries the test's brand."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from harness.programs import supervisor
from harness.programs.processes import OwnedProcess, Processes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

ZOO = Path(__file__).with_name("zoo.py")
linux = pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux alone")


@dataclass(frozen=True, slots=True)
class Brand:
    """Marks, by their environment, a test's processes and all their descendants."""

    word: str

    @property
    def env(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "TEST_BRAND": self.word}

    def bearers(self) -> list[int]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("TEST_BRAND") == self.word:
                    found.append(process.pid)
        return found


def wait_for(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.003)


@contextlib.contextmanager
def new_brand() -> Iterator[Brand]:
    """A brand whose bearers are killed afterwards, whatever the test has come to."""
    brand = Brand(uuid.uuid4().hex)
    try:
        yield brand
    finally:
        while left := brand.bearers():
            for pid in left:
                supervisor.kill(pid)
            time.sleep(0.01)


@dataclass(frozen=True, slots=True)
class Start:
    """Starts programs of the zoo, or others, with the test's brand and folder."""

    processes: Processes
    brand: Brand
    folder: Path

    def __call__(self, *argv: str, cpus: Collection[int] | None = None) -> OwnedProcess:
        output = self.folder / f"{uuid.uuid4().hex}.txt"
        return self.processes.start(argv, cwd=self.folder, env=self.brand.env, output=output, cpus=cpus)

    def zoo(self, verb: str, *, cpus: Collection[int] | None = None) -> OwnedProcess:
        return self(sys.executable, "-I", "-S", str(ZOO), verb, cpus=cpus)


def words_after(process: OwnedProcess, word: str, times: int = 1) -> list[str]:
    """Wait until the output has `word` so many times; what follows it, up to the line's end."""
    wait_for(lambda: process.output_tail().count(f"{word}") >= times)
    return [line.split(word)[1] for line in process.output_tail().splitlines() if word in line]


def descendants() -> set[int]:
    """All below this process, zombies included."""
    return {process.pid for process in psutil.Process().children(recursive=True)}


def children_of_keeper(process: OwnedProcess) -> list[psutil.Process]:
    return psutil.Process(process.keeper_pid).children(recursive=True)
