"""Ctrl-C and worse: finished trials are kept, nothing is left running, and the run can go on."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from results.errors import StoreError
from results.faults import Fault
from results.store import Store
from tests.cli.conftest import PROGRAM, Measured, Streamgauge, environment, once
from tests.cli.processes import command_of, descendants, still_there

RESUMED = ("run", "--resume", "run.sqlite")
LONG_WINDOW_S = 60


@contextlib.contextmanager
def started(
    tmp_path: Path, *words: str, variables: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [PROGRAM, *words, "--no-report"],
        cwd=tmp_path,
        env=variables or environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # a terminal's Ctrl-C goes to the whole foreground group
    ) as run:
        try:
            yield run
        finally:
            run.kill()


def wait_for_trials(store: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        # no store yet, or one that is just being made
        with contextlib.suppress(StoreError), Store.open(store) as opened:
            if len(opened.done()) >= count:
                return
        time.sleep(0.05)
    pytest.fail(f"no {count} trials within a minute")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_keeps_its_trials_and_goes_on(
    streamgauge: Streamgauge, traced_run: Measured, tmp_path: Path, how: signal.Signals
) -> None:
    store = traced_run.unfinished_in(tmp_path, left=3)
    with started(tmp_path, *RESUMED) as run:
        wait_for_trials(store, 2)
        family = descendants(run.pid)
        assert len(family) >= 3  # supervisor, driver, server
        os.killpg(run.pid, how)
        output, _ = run.communicate(timeout=30)
    assert run.returncode == 130
    assert "Go on with: streamgauge run --resume run.sqlite" in output
    assert still_there(family) == []
    with Store.open(store) as opened:
        kept = opened.read()
    assert 2 <= len(kept.trials) <= 4
    assert kept.finished_utc is None

    done = streamgauge(*RESUMED)
    assert done.returncode == 0, done.stderr
    with Store.open(store) as opened:
        whole = opened.read()
    assert [trial.slot for trial in whole.trials] == list(whole.header.slots)
    assert len(whole.trials) == 4
    before = {trial.slot.position: trial.started_ns for trial in kept.trials if trial.reason is None}
    assert {trial.slot.position: trial.started_ns for trial in whole.trials} | before == {
        trial.slot.position: trial.started_ns for trial in whole.trials
    }


@pytest.fixture
def long_trials(traced_run: Measured, tmp_path: Path) -> Path:
    """A run whose first trial is there, and whose others take longer than anybody waits for."""
    store = traced_run.unfinished_in(tmp_path, left=3)
    with contextlib.closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE run SET window_s = ?", (LONG_WINDOW_S,))
    return store


def wait_for_load(run: subprocess.Popen[str]) -> None:
    """Until a server of the run is there: its trial is under way."""
    deadline = time.monotonic() + 60
    while not any("gunicorn" in command_of(process) for process in descendants(run.pid)):
        assert run.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_ctrl_c_lets_the_trial_under_way_finish(traced_run: Measured, tmp_path: Path) -> None:
    store = traced_run.unfinished_in(tmp_path, left=3)
    with started(tmp_path, *RESUMED) as run:
        wait_for_load(run)
        with Store.open(store) as opened:
            before = len(opened.done())
        run.send_signal(signal.SIGINT)
        output, _ = run.communicate(timeout=60)
    assert run.returncode == 130
    with Store.open(store) as opened:
        kept = len(opened.done())
    if "finished first" in output:  # else it came between two trials
        assert before < kept
    assert f"{kept} of 4 trials are kept in run.sqlite" in output


def heard(run: subprocess.Popen[str], words: str) -> str:
    """What it has said, up to these words at least."""
    assert run.stdout is not None
    said = b""
    while words.encode() not in said:
        piece = os.read(run.stdout.fileno(), 4096)
        assert piece, f"it ended without a word of that: {said.decode()}"
        said += piece
    return said.decode()


@pytest.mark.parametrize("signals", [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM,)])
def test_ctrl_c_twice_and_sigterm_end_it_at_once(
    long_trials: Path, tmp_path: Path, signals: tuple[signal.Signals, ...]
) -> None:
    said = ""
    with started(tmp_path, *RESUMED) as run:
        wait_for_load(run)
        family = descendants(run.pid)
        time.sleep(0.3)
        run.send_signal(signals[0])
        for number in signals[1:]:  # two that come before it could take the first would be one
            said += heard(run, "Ctrl-C once more ends it at once")
            run.send_signal(number)
        rest, _ = run.communicate(timeout=LONG_WINDOW_S / 2)
    assert run.returncode == 130
    assert ("Ctrl-C once more ends it at once" in said + rest) == (len(signals) > 1)
    assert "1 of 4 trials are kept in run.sqlite" in rest
    assert still_there(family) == []


def test_nohup_is_heeded(long_trials: Path, tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with started(tmp_path, *RESUMED) as run:
            wait_for_load(run)
            run.send_signal(signal.SIGHUP)
            time.sleep(0.5)
            assert run.poll() is None
            run.terminate()
            run.communicate(timeout=LONG_WINDOW_S / 2)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert run.returncode == 130


def test_two_runs_at_once_are_refused_unless_forced(
    long_trials: Path, traced_run: Measured, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    store = traced_run.unfinished_in(other, left=1)
    variables = environment()
    with started(tmp_path, *RESUMED, variables=variables) as run:
        wait_for_load(run)
        together = {"TMPDIR": variables["TMPDIR"]}
        refused = once(other, *RESUMED, **together)
        assert refused.returncode == 3
        assert f"another streamgauge measures on this machine (process {run.pid}: streamgauge run" in (
            refused.stderr
        )
        assert "--force" in refused.stderr
        looked = once(other, "doctor", "http://127.0.0.1:1/", **together)
        assert f"at work on this machine (process {run.pid}" in looked.stderr
        forced = once(other, *RESUMED, "--force", "--no-report", **together)
        assert f"measured beside another streamgauge (process {run.pid}" in forced.stderr
        run.terminate()
        run.communicate(timeout=LONG_WINDOW_S / 2)
    with Store.open(store) as opened:
        assert len(opened.done()) == 4
        assert str(run.pid) in str(opened.read().header.beside)
    shown = once(other, "show", "run.sqlite")
    assert "beside another streamgauge" in shown.stderr
    assert "beside another streamgauge" in once(other, "export", "run.sqlite", "--format", "markdown").stdout
    assert once(other, "report", "run.sqlite", "--output", "page.html").returncode == 0
    assert "Another streamgauge measured on the machine" in (other / "page.html").read_text()


def test_a_killed_harness_leaves_nothing_running_and_can_go_on(
    streamgauge: Streamgauge, traced_run: Measured, tmp_path: Path
) -> None:
    store = traced_run.unfinished_in(tmp_path, left=2)
    with started(tmp_path, *RESUMED) as run:
        wait_for_trials(store, 3)
        family = descendants(run.pid)
        run.kill()
        run.communicate(timeout=30)
    assert still_there(family) == []
    done = streamgauge(*RESUMED)
    assert done.returncode == 0, done.stderr
    with Store.open(store) as opened:
        assert len(opened.read().trials) == 4


def test_what_is_complete_is_not_measured_again(
    streamgauge: Streamgauge, traced_run: Measured, tmp_path: Path
) -> None:
    store = traced_run.copied_to(tmp_path)
    with Store.open(store) as opened:
        before, traces = opened.read().trials, opened.traces()
    again = streamgauge("run", "--resume", "run.sqlite")
    assert again.returncode == 0, again.stderr
    assert "flights.csv rows=100" in again.stdout
    with Store.open(store) as opened:
        assert opened.read().trials == before
        assert opened.traces() == traces


def test_resume_takes_no_words_that_would_change_the_plan(streamgauge: Streamgauge, tmp_path: Path) -> None:
    done = streamgauge("run", "--resume", "run.sqlite", "--blocks", "3")
    assert done.returncode == 2
    assert "blocks" in done.stderr


def test_a_driver_that_is_killed_costs_its_trial_and_the_run_goes_on(
    traced_run: Measured, tmp_path: Path
) -> None:
    store = traced_run.unfinished_in(tmp_path, left=3)
    with started(tmp_path, *RESUMED) as run:
        wait_for_trials(store, 2)
        family = descendants(run.pid)
        (driver,) = [process for process in family if "scenarios.driver" in command_of(process)]
        driver.kill()
        output, _ = run.communicate(timeout=60)
    assert run.returncode == 3, output  # too many of one case's few trials are invalid
    assert "driver-died: the load driver died" in output
    assert "driver-died (1 trial): " in output
    assert still_there(family) == []
    with Store.open(store) as opened:
        kept = opened.read()
    assert kept.finished_utc is not None
    assert [trial.slot for trial in kept.trials] == list(kept.header.slots)
    assert [trial.fault for trial in kept.trials].count(Fault.DRIVER_DIED) == 1
