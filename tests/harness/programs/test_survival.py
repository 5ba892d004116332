"""The harness, the supervisor or a keeper ends, in any way; nothing outlives it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

import psutil
import pytest

from harness.programs import supervisor
from harness.programs.processes import Processes, SupervisorDied

from .branded import Brand, Start, descendants, linux, new_brand, wait_for, words_after

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
DOOMED_HARNESS = Path(__file__).with_name("doomed_harness.py")


@pytest.fixture
def brand() -> Iterator[Brand]:
    with new_brand() as brand:
        yield brand


class TestEnd:
    def test_leaving_the_block_ends_everything(self, brand: Brand, tmp_path: Path) -> None:
        before = descendants()
        with Processes() as processes:
            start = Start(processes, brand, tmp_path)
            started = [start.zoo(verb) for verb in ("stubborn", "sleeper", "stalled")]
            words_after(started[0], "ready")
        assert not brand.bearers()
        assert descendants() <= before
        assert [process.returncode for process in started] == [-signal.SIGKILL] * 3

    @linux
    def test_a_killed_supervisor(self, brand: Brand, tmp_path: Path) -> None:
        with Processes() as processes:
            start = Start(processes, brand, tmp_path)
            process = start.zoo("parent")
            words_after(process, "ready", times=2)
            psutil.Process(psutil.Process(process.keeper_pid).ppid()).kill()
            wait_for(lambda: not brand.bearers())
            with pytest.raises(SupervisorDied, match="--resume"):
                process.wait(10)
            with pytest.raises(SupervisorDied):
                process.stop()
            with pytest.raises(SupervisorDied):
                start.zoo("sleeper")
        with pytest.raises(SupervisorDied):
            _ = process.returncode

    @linux
    def test_a_killed_keeper(self, brand: Brand, tmp_path: Path) -> None:
        with Processes() as processes:
            start = Start(processes, brand, tmp_path)
            process, other = start.zoo("parent"), start.zoo("sleeper")
            words_after(process, "ready", times=2)
            psutil.Process(process.keeper_pid).kill()
            wait_for(lambda: brand.bearers() == [other.pid])
            with pytest.raises(SupervisorDied):
                _ = process.returncode
            other.stop()
            assert start("true").wait(10) == 0, "the supervisor goes on"

    @linux
    def test_supervisor_and_keeper_killed_at_once(self, brand: Brand, tmp_path: Path) -> None:
        before = descendants()
        with Processes() as processes:
            process = Start(processes, brand, tmp_path).zoo("parent")
            words_after(process, "ready", times=2)
            keeper = psutil.Process(process.keeper_pid)
            family = [psutil.Process(keeper.ppid()), keeper]
            for member in family:
                member.suspend()  # neither sees the other die
            for member in family:
                member.kill()
            wait_for(lambda: process.pid not in brand.bearers())  # by the parent-death signal
        assert not brand.bearers()
        assert descendants() <= before


@dataclass(frozen=True, slots=True)
class Doomed:
    """A harness in a process and process group of its own."""

    process: subprocess.Popen[str]
    output: IO[str]
    pids: list[int]
    supervisor_pid: int


@contextlib.contextmanager
def harness(brand: Brand, folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, str(DOOMED_HARNESS), str(folder), *words],
        env={**brand.env, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def doomed(brand: Brand, tmp_path: Path) -> Iterator[Doomed]:
    ready = {"stubborn": 1, "parent": 2, "sleeper": 1, "deserter": 1}
    with harness(brand, tmp_path, *ready) as process:
        assert process.stdout is not None
        started = json.loads(process.stdout.readline())
        for verb, times in ready.items():
            output = tmp_path / f"{verb}.txt"
            wait_for(partial(says_ready, output, times))
        *pids, deserter = [pid for pid, _ in started]
        wait_for(lambda: not psutil.pid_exists(deserter))
        supervisor_pid = psutil.Process(started[0][1]).ppid()
        yield Doomed(process, process.stdout, pids, supervisor_pid)


def says_ready(output: Path, times: int) -> bool:
    return output.read_text().count("ready") >= times


@linux
class TestHarness:
    def test_killed(self, doomed: Doomed, brand: Brand) -> None:
        assert {*doomed.pids, doomed.supervisor_pid} < {*brand.bearers()}
        doomed.process.kill()
        wait_for(lambda: not brand.bearers())

    @pytest.mark.parametrize("instant_s", [0.0, 0.004, 0.011, 0.03, 0.09])
    def test_killed_at_any_instant(self, brand: Brand, tmp_path: Path, instant_s: float) -> None:
        with harness(brand, tmp_path, "churn", "parent", "deserter") as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(instant_s)
            process.kill()
            wait_for(lambda: not brand.bearers())

    def test_ctrl_c_reaches_the_harness_alone(self, doomed: Doomed, brand: Brand) -> None:
        before = brand.bearers()
        os.killpg(doomed.process.pid, signal.SIGINT)
        assert json.loads(doomed.output.readline()) == {"witness": -signal.SIGINT}
        assert brand.bearers() == before

    def test_only_the_harness_decides(self, doomed: Doomed, brand: Brand) -> None:
        before = brand.bearers()
        keepers = supervisor.children(doomed.supervisor_pid)
        assert len(keepers) == 4
        for pid in (doomed.supervisor_pid, *keepers):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(pid, number)
        time.sleep(0.05)
        assert brand.bearers() == before
