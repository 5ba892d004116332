"""Ctrl-C and worse: finished trials are kept, nothing is left running, and the run can go on."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from results.errors import StoreError
from results.store import Store
from tests.cli.conftest import PROGRAM, Measured, Streamgauge, environment
from tests.cli.processes import descendants, still_there

RESUMED = ("run", "--resume", "run.sqlite")


@contextlib.contextmanager
def started(tmp_path: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [PROGRAM, *words, "--no-report"],
        cwd=tmp_path,
        env=environment(),
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


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
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
    assert 2 <= len(kept.trials) < 4
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


def test_a_driver_that_is_killed_is_an_error_that_keeps_the_trials(
    streamgauge: Streamgauge, traced_run: Measured, tmp_path: Path
) -> None:
    store = traced_run.unfinished_in(tmp_path, left=3)
    with started(tmp_path, *RESUMED) as run:
        wait_for_trials(store, 2)
        family = descendants(run.pid)
        (driver,) = [p for p in family if "scenarios.driver" in p.cmdline()]
        driver.kill()
        output, _ = run.communicate(timeout=30)
    assert run.returncode == 3
    assert "load driver died" in output
    assert still_there(family) == []
    with Store.open(store) as opened:
        assert len(opened.done()) >= 2
    assert streamgauge(*RESUMED).returncode == 0
