"""The command line as a user has it: a process of its own, in an empty folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from results.store import Store
from tests.cli import pieces
from tests.cli.spoilt import Done, again_while_spoilt, forget, resumed_while_spoilt
from tests.cli.warm import begun

TINY = """
name = "tiny"
blocks = {blocks}
warmup = "0.1s"
window = "0.2s"
trace = false

[[target]]
name = "flights.csv"
app = "targets.csv_app:app"
ready = "/csv?total=1"
baseline = "/csv?total={{total}}"
stream = "/csv/rows?total={{total}}&rows={{rows}}"
total = 300
rows = [1, 100]

[[server]]
kind = "gunicorn"
worker_class = "sync"

[[scenario]]
kind = "download"
users = 1
"""

#: Two views that are asked once and never timed: one fails before its first byte, the other after it.
_FAILING = """
[[target]]
name = "no-context"
app = "targets.context_app:app"
ready = "/context?total=1"
stream = "/context/{fails}"
expect = "failure"
fails = ["before", "after"]
"""

_GATE = """
[[gate]]
case = "rows=1 users=2"
metric = "ttfb_p50"
at_most = "1 s"
"""

Streamgauge = Callable[..., Done]
_TIMEOUT_S = 100.0
PROGRAM = str(Path(sys.executable).with_name("streamgauge"))


_TEMPORARY = tempfile.TemporaryDirectory(prefix="sg-cli-")


def environment() -> dict[str, str]:
    """Ours, without what would send results elsewhere; each time with a TMPDIR of its own.

    A streamgauge that runs beside another one in the same TMPDIR says so, or is refused.
    """
    ours = {name: value for name, value in os.environ.items() if name != "STREAMGAUGE_RESULTS"}
    return ours | {"TMPDIR": tempfile.mkdtemp(dir=_TEMPORARY.name)}


def once(folder: Path, *words: str, **variables: str) -> Done:
    """The command line in ``folder``: its exit code and output."""
    with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
        streams = (Path(os.devnull), Path(out.name), Path(err.name))
        process = begun(words, folder, environment() | variables, streams)
        process.join(_TIMEOUT_S)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired([PROGRAM, *words], _TIMEOUT_S)
        return Done([PROGRAM, *words], process.exitcode, *(path.read_text() for path in streams[1:]))


def anew(folder: Path, *words: str, **variables: str) -> Done:
    """The same from the first line of its script on, as Python begins."""
    return subprocess.run(
        [PROGRAM, *words],
        cwd=folder,
        env=environment() | variables,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )


def patiently(folder: Path, store: str, verb: str, *words: str) -> Done:
    """Measure many trials into the ``.sqlite`` file ``store``; only those that the machine spoilt once more.

    Returns what the last of these runs ended with.
    """

    def resume() -> Done:
        return once(folder, verb, "--resume", store, "--no-report")

    done = once(folder, verb, *words, "--output", store, "--no-report")
    return resumed_while_spoilt(done, resume, folder / store)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A suite of four slots, each about a second."""
    path = tmp_path / "tiny.toml"
    path.write_text(TINY.format(blocks=1))
    return path


@pytest.fixture
def streamgauge(tmp_path: Path) -> Streamgauge:
    """Runs the command line in ``tmp_path`` and returns its exit code and output.

    What measures writes no report; what the machine spoilt is measured once more, as its user would: all of
    it, or the spoilt trials of what was resumed.
    """

    def run(*words: str) -> Done:
        if words[0] not in {"run", "ab"}:
            return once(tmp_path, *words)

        def measure() -> Done:
            return once(tmp_path, *words, "--no-report")

        if words[1] == "--resume":
            return resumed_while_spoilt(measure(), measure, tmp_path / words[2])
        return again_while_spoilt(measure, tmp_path)

    return run


@dataclass(frozen=True, slots=True)
class Measured:
    """A run that several tests look at: its folder, what it printed, and its store, to be copied."""

    folder: Path
    done: Done
    store: Path

    def copied_to(self, folder: Path) -> Path:
        """The store as ``run.sqlite`` in the folder of a test that writes to it."""
        return Path(shutil.copy(self.store, folder / "run.sqlite"))

    def unfinished_in(self, folder: Path, *, left: int) -> Path:
        """The same, of a run that was interrupted with so many of its trials left."""
        store = self.copied_to(folder)
        with Store.open(store) as opened:
            slots = len(opened.read().header.slots)
        forget(store, range(slots - left, slots))
        return store


@pytest.fixture(scope="session")
def traced_run(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """All of the tiny suite and what fails, one block, and traced, as without any further words."""
    folder = tmp_path_factory.mktemp("traced-run")
    (folder / "tiny.toml").write_text(TINY.format(blocks=1).replace("trace = false", "") + _FAILING)
    done = again_while_spoilt(lambda: once(folder, "run", "tiny.toml", "--seed", "5"), folder)
    assert done.returncode == 0, done.stderr
    (store,) = (folder / "results").glob("*.sqlite")
    return Measured(folder, done, store)


@pytest.fixture(scope="session")
def narrow_run(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """One stream of a suite of several, and its baseline, into a named file.

    The suite has a gate on another case, and temporary files have a long path.
    """
    folder = tmp_path_factory.mktemp("narrow-run")
    (folder / "tiny.toml").write_text(TINY.format(blocks=1).replace("users = 1", "users = [2, 1, 4]") + _GATE)
    deep = folder / ("d" * 120)
    deep.mkdir()
    words = ("run", "tiny.toml", "--only", "rows=100 users=2", "--output", "run.sqlite", "--no-report")
    done = again_while_spoilt(lambda: once(folder, *words, TMPDIR=str(deep)), folder)
    assert done.returncode == 0, done.stderr
    return Measured(folder, done, folder / "run.sqlite")


@pytest.fixture(scope="session")
def pieces_run(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """Five blocks, the fewest for a verdict, of the suite whose small pieces are slow; its gate holds."""
    folder = tmp_path_factory.mktemp("pieces-run")
    (folder / "pieces_app.py").write_text(pieces.APP)
    (folder / "pieces.toml").write_text(pieces.SUITE.format(limit="20"))
    done = patiently(folder, "run.sqlite", "run", "pieces.toml")
    assert done.returncode == 0, done.stderr
    return Measured(folder, done, folder / "run.sqlite")
