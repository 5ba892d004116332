"""Kills a run at random instants, and counts what is lost, measured twice, or left behind."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from results.errors import StoreError
from results.run import Run, TrialSummary
from results.store import Store
from tests.cli.conftest import PROGRAM, environment, once
from tests.cli.processes import command_of, still_there
from tests.harness.programs.branded import Brand

#: A response of some pieces, and one without an end, for readers that stall.
APP = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/endless":
        return iter(lambda: b"x" * 65536, None)
    return [b"x" * 1000] * (3 if environ["QUERY_STRING"] else 1)
"""
SUITE = """
name = "killed"
blocks = {blocks}
warmup = "0.05s"
window = "0.2s"
trace = false

[[target]]
name = "pieces"
app = "pieces_app:app"
directory = "."
ready = "/?"
baseline = "/?whole"
stream = "/?pieces={{pieces}}"
pieces = 3

[[server]]
kind = "gunicorn"

[[scenario]]
kind = "download"
"""
STORE = "run.sqlite"
RESUMED = ("run", "--resume", STORE, "--no-report", "--quiet")
VICTIMS = ("harness", "supervisor", "driver", "server")
#: What the command line of each has, and no other's.
_MARKS = {"supervisor": "supervisor.py", "driver": "scenarios.driver", "server": "gunicorn"}
_FROM_THE_START = ("harness", "supervisor")
_LATEST_S = 2.0
_PATIENCE_S = 60.0
_STALLING_S = 5.0


@dataclass(frozen=True, slots=True)
class Kill:
    """What was killed and when (`Endurance.kill`), beside a stalled reader or not, and what came of it.

    ``struck``: it was there to be killed; ``stalled`` readers had begun to read, and stopped. ``lost`` and
    ``changed`` are finished trials that were not there any more, or not as they were;
    ``out_of_order`` whether others than the first of the plan are finished; ``left`` are processes, ``files``
    temporary ones that were still there: the next run removes those whose supervisor and harness are gone.
    """

    victim: str
    instant_s: float
    struck: bool
    stalled: int
    finished: int
    lost: int
    changed: int
    out_of_order: bool
    left: Sequence[str]
    files: Sequence[str]


class Endurance:
    """One run in ``folder`` that is killed again and again, and goes on each time."""

    def __init__(self, folder: Path, brand: Brand, *, blocks: int, seed: int) -> None:
        self._folder = folder
        self._brand = brand
        self._random = random.Random(seed)  # noqa: S311  - no secret
        self._known: dict[int, TrialSummary] = {}
        self._variables = environment() | brand.env | {"PATH": os.environ["PATH"]}
        (folder / "pieces_app.py").write_text(APP)
        (folder / "suite.toml").write_text(SUITE.format(blocks=blocks))

    def begin(self) -> None:
        """Measure, and kill with the first trial in the store: without one, a run that fails leaves none."""
        words = ("run", "suite.toml", "--output", STORE, "--no-report", "--quiet")
        with self._started(words) as (run, _):
            deadline = time.monotonic() + _PATIENCE_S
            while not self._has_trials():
                assert run.poll() is None, f"ended with {run.returncode} instead of measuring"
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def finished(self) -> bool:
        """Whether the run is complete."""
        return self._read().finished_utc is not None

    def kill(self, victim: str, *, stalled: bool) -> Kill:
        """Go on with the run, kill the victim at a random instant, and soon after the harness.

        The instant counts from the start or, where there is a server to be killed or stalled, from its start.
        """
        instant_s = self._random.uniform(0, _LATEST_S)
        with self._started(RESUMED) as (run, temporary), contextlib.ExitStack() as stack:
            if stalled or victim not in _FROM_THE_START:
                self._await_server(run)
            time.sleep(instant_s)
            readers = _stall(run) if stalled else []
            stack.callback(_close_all, readers)
            family = _family(run)
            struck = False
            for process in _victims(victim, run.pid, family):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
                    struck = True
            if victim != "harness":
                with contextlib.suppress(subprocess.TimeoutExpired):
                    run.wait(self._random.uniform(0, 1))
            run.kill()
            run.wait()
            left = still_there([*family, *_running(self._brand.bearers())])
            files = _left_in(temporary)
        return self._judged(victim, instant_s, left, files, struck=struck, stalled=len(readers))

    def finish(self) -> Run:
        """Go on to the end; the whole run."""
        done = once(self._folder, *RESUMED, **self._variables)
        assert self.finished(), done.stderr
        return self._read()

    def files(self) -> Sequence[str]:
        """What is left in the folder for temporary files."""
        return _left_in(Path(self._variables["TMPDIR"]))

    def kept(self, run: Run) -> bool:
        """Whether all that was ever seen finished is there as it was."""
        return self._compared(run) == (0, 0)

    def _judged(
        self,
        victim: str,
        instant_s: float,
        left: Sequence[str],
        files: Sequence[str],
        *,
        struck: bool,
        stalled: int,
    ) -> Kill:
        run = self._read()
        lost, changed = self._compared(run)
        self._known |= _by_position(run)
        planned = [slot.position for slot in run.header.slots]
        done = [trial.slot.position for trial in run.trials]
        out_of_order = done != planned[: len(done)]
        return Kill(victim, instant_s, struck, stalled, len(done), lost, changed, out_of_order, left, files)

    def _compared(self, run: Run) -> tuple[int, int]:
        now = _by_position(run)
        lost = self._known.keys() - now.keys()
        changed = [
            position for position in self._known.keys() & now if self._known[position] != now[position]
        ]
        return len(lost), len(changed)

    def _await_server(self, run: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not _victims("server", run.pid, _family(run)):
            said = (self._folder / "said").read_text()
            assert run.poll() is None, f"ended with {run.returncode} before there was a server: {said}"
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def _has_trials(self) -> bool:
        with contextlib.suppress(StoreError):  # none yet, or one that is just being made
            return bool(self._read().trials)
        return False

    def _read(self) -> Run:
        with Store.open(self._folder / STORE) as store:
            return store.read()

    @contextlib.contextmanager
    def _started(self, words: Sequence[str]) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
        with (
            (self._folder / "said").open("wb") as said,
            subprocess.Popen(
                [PROGRAM, *words],
                cwd=self._folder,
                env=self._variables,
                stdout=said,
                stderr=said,
                start_new_session=True,
            ) as run,
        ):
            try:
                yield run, Path(self._variables["TMPDIR"])
            finally:
                run.kill()


def _by_position(run: Run) -> Mapping[int, TrialSummary]:
    return {trial.slot.position: trial for trial in run.trials}


def _family(run: subprocess.Popen[bytes]) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(run.pid).children(recursive=True)
    return []


def _running(pids: Iterable[int]) -> Iterator[psutil.Process]:
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            yield psutil.Process(pid)


def _victims(victim: str, harness: int, family: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Those that are there at this instant."""
    if victim == "harness":
        return [process for process in _running([harness]) if process.status() != psutil.STATUS_ZOMBIE]
    found = []
    for process in family:
        with contextlib.suppress(psutil.Error):
            # keepers are forks of the supervisor, and look like it
            if _MARKS[victim] in command_of(process) and (
                victim != "supervisor" or process.ppid() == harness
            ):
                found.append(process)
    return found


def _stall(run: subprocess.Popen[bytes]) -> list[socket.socket]:
    """A reader who has begun to read what has no end, and stops; none where nobody answers in time."""
    deadline = time.monotonic() + _STALLING_S
    while run.poll() is None and time.monotonic() < deadline:
        for process in _family(run):
            with contextlib.suppress(psutil.Error, OSError):
                if _MARKS["server"] not in command_of(process):
                    continue
                for connection in process.net_connections("tcp4"):
                    if connection.status == psutil.CONN_LISTEN and (reader := _begun(connection.laddr)):
                        return [reader]
        time.sleep(0.005)
    return []


def _begun(address: tuple[str, int]) -> socket.socket | None:
    """A reader whom a worker answers within its time; it may have the load driver to answer first."""
    reader = socket.create_connection(address, timeout=1)
    reader.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
    with contextlib.suppress(OSError):
        if reader.recv(1):
            return reader
    reader.close()
    return None


def _close_all(readers: Sequence[socket.socket]) -> None:
    for reader in readers:
        reader.close()


def _left_in(temporary: Path) -> list[str]:
    """What is still there when patience is over; an empty lock is nobody's."""
    deadline = time.monotonic() + 10
    while True:
        left = [path.name for path in temporary.iterdir() if path.name != "streamgauge.lock"]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.02)
