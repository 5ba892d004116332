"""Terminals that can do less: few columns, no colour, no cursor, no UTF-8; and Ctrl-C in one."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from results.errors import ExitCode
from tests.cli.conftest import PROGRAM, TINY, Measured, environment
from tests.cli.processes import descendants, still_there
from tests.cli.stores import make_store
from tests.cli.terminal import in_terminal

NOTHING_TRACED = """
DELETE FROM traced_request; DELETE FROM traced_figure; DELETE FROM traced_yield; DELETE FROM traced_read;
DELETE FROM trace; UPDATE run SET finished_utc = NULL;
"""
COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-9]|4[0-9]|9[0-7]|38|48)[0-9;]*m")


@pytest.mark.parametrize(
    "words", [("show", "run.sqlite"), ("compare", "other.sqlite", "run.sqlite"), ("history", ".")]
)
def test_forty_columns_hold_every_line_of_figures(tmp_path: Path, words: tuple[str, ...]) -> None:
    make_store(tmp_path / "run.sqlite")
    make_store(tmp_path / "other.sqlite")
    seen = in_terminal(tmp_path, *words, columns=40)
    figures = [line for line in seen.text.splitlines() if "×" in line and "http" not in line]
    assert seen.code in {ExitCode.GOOD, ExitCode.INVALID}, seen.text  # compare: the made-up runs lack figures
    assert figures
    assert "…" not in "".join(figures), "nothing is cut off"
    if words[0] == "show":
        assert max(map(len, figures)) <= 40
        assert re.search(r"\n  TTFB p50 2 ms ×0\.04\n", seen.text)


def test_columns_decide_in_a_pipe_too(tmp_path: Path) -> None:
    make_store(tmp_path / "run.sqlite")

    def shown(**variables: str) -> str:
        return subprocess.run(
            [PROGRAM, "show", "run.sqlite"],
            cwd=tmp_path,
            env={**environment(), **variables},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout

    assert "CPU per MB" not in shown(COLUMNS="80").partition("Memory (medians)")[0]
    assert "CPU per MB" in shown(COLUMNS="").partition("Memory (medians)")[0]


def test_no_color_means_none(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(TINY.format(blocks=1))

    def stopped(**variables: str) -> str:
        """What a run draws until it asks its cases."""
        sent: list[int] = []

        def react(text: str, pid: int) -> None:
            if "Verifying" in text and not sent:
                sent.append(pid)
                os.killpg(pid, signal.SIGINT)

        return in_terminal(tmp_path, "run", "tiny.toml", variables=variables, react=react).raw

    assert COLOUR.search(stopped())
    assert not COLOUR.search(stopped(NO_COLOR="1"))


@pytest.mark.parametrize("variables", [{"LC_ALL": "C"}, {"LC_ALL": "POSIX"}, {"PYTHONIOENCODING": "ascii"}])
def test_without_utf_8_all_is_written_in_ascii(tmp_path: Path, variables: dict[str, str]) -> None:
    make_store(tmp_path / "run.sqlite")
    make_store(tmp_path / "other.sqlite")
    unset = {"LC_ALL", "PYTHONUTF8", "PYTHONIOENCODING"}
    env = {name: value for name, value in environment().items() if name not in unset}
    for words in (
        ["show", "run.sqlite"],
        ["history", "."],
        ["compare", "other.sqlite", "run.sqlite"],
        ["--help"],
    ):
        done = subprocess.run(
            [PROGRAM, *words],
            cwd=tmp_path,
            env={**env, **variables},
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode in {ExitCode.GOOD, ExitCode.INVALID}, done.stderr
        assert (done.stdout + done.stderr).isascii()
        if words[0] == "show":
            assert b"x0.04" in done.stdout
            assert b"|" in done.stdout


def test_a_file_s_name_that_is_no_text_is_written_as_it_is(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9.sqlite"
    make_store(Path(os.fsdecode(name)), run_id="r1")
    done = subprocess.run([PROGRAM, "show", name], capture_output=True, timeout=60, check=False)
    assert done.returncode == ExitCode.GOOD, done.stderr
    assert name in done.stdout


@pytest.mark.parametrize("phase", ["Verifying", "Calibrating"])
def test_ctrl_c_before_the_first_trial_keeps_nothing(tmp_path: Path, phase: str) -> None:
    (tmp_path / "tiny.toml").write_text(TINY.format(blocks=1))
    left = left_by_ctrl_c(tmp_path, phase, "run", "tiny.toml", "--output", "run.sqlite")
    assert left.endswith("no trial was finished, and nothing is kept")
    assert not (tmp_path / "run.sqlite").exists()


@pytest.mark.parametrize(("phase", "trials"), [("Measuring", 2), ("Tracing", 4)])
def test_ctrl_c_after_it_keeps_all_trials(
    traced_run: Measured, tmp_path: Path, phase: str, trials: int
) -> None:
    store = traced_run.unfinished_in(tmp_path, left=4 - trials)
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.executescript(NOTHING_TRACED)
    left = left_by_ctrl_c(tmp_path, phase, "run", "--resume", "run.sqlite")
    kept = re.search(r"(\d) of 4 trials are kept in run\.sqlite\.", left)
    assert kept, left
    assert int(kept[1]) >= trials
    assert "Go on with: streamgauge run --resume run.sqlite" in left


def left_by_ctrl_c(folder: Path, phase: str, *words: str) -> str:
    """The one paragraph that stays on the screen when a run is interrupted in this phase."""
    family: list[psutil.Process] = []

    def react(text: str, pid: int) -> None:
        if phase in text and not family:
            family.extend([psutil.Process(pid), *descendants(pid)])
            os.killpg(pid, signal.SIGINT)

    seen = in_terminal(folder, *words, react=react)
    assert seen.code == ExitCode.INTERRUPTED, seen.text
    assert still_there(family) == []
    assert "Traceback" not in seen.text
    assert seen.raw.rindex("\x1b[?25h") > seen.raw.rindex("\x1b[?25l"), "the cursor is back"
    left = seen.left.strip()
    assert left.startswith("streamgauge: interrupted; ")
    return left
