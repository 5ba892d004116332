"""What was acknowledged is in the store, however the process that wrote it ended."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from results.store import Store
from tests.results.doomed_writer import REQUESTS
from tests.results.examples import trial_record

ROOT = Path(__file__).parent.parent.parent


def start_writer(path: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.results.doomed_writer", str(path), *words]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def assert_whole(path: Path, acknowledged: int) -> None:
    """The store opens read-only, and holds all acknowledged trials, and whole ones only."""
    with Store.open(path) as store:
        run = store.read()
    # the last one may have been on the disk before its writer could say so
    assert len(run.trials) in {acknowledged, acknowledged + 1}
    assert [trial.slot.position for trial in run.trials] == list(range(len(run.trials)))
    assert all(trial.outcomes == {"verified": REQUESTS} for trial in run.trials)
    assert all(len(trial.figures) == 2 for trial in run.trials)


@pytest.mark.parametrize("seed", range(10))
def test_every_acknowledged_trial_survives_a_kill(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "run.sqlite"
    with start_writer(path) as writer:
        assert writer.stdout
        try:
            assert writer.stdout.readline() == "0\n"
            time.sleep(np.random.default_rng(seed).uniform(0, 0.05))
        finally:
            writer.kill()
        acknowledged = 1 + len(writer.stdout.read().splitlines())
    assert writer.returncode == -signal.SIGKILL
    assert_whole(path, acknowledged)
    with Store.open(path, writable=True) as store:
        store.add_trial(trial_record(999))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("through_a_link", [False, True])
def test_a_trial_half_written_into_the_file_is_taken_back(tmp_path: Path, *, through_a_link: bool) -> None:
    path = tmp_path / "run.sqlite"
    with start_writer(path, "3") as writer:
        assert writer.stdout
        acknowledged = len(writer.stdout.read().splitlines())
    assert writer.returncode == -signal.SIGKILL
    assert acknowledged == 3
    assert path.with_name("run.sqlite-journal").stat().st_size > 0
    half_written = path.stat().st_size

    opened = path
    if through_a_link:
        opened = tmp_path / "elsewhere" / "latest.sqlite"
        opened.parent.mkdir()
        opened.symlink_to(path)
    with Store.open(opened) as store:
        assert store.done() == {0, 1, 2}
    assert path.stat().st_size < half_written
    assert not path.with_name("run.sqlite-journal").exists()
    assert_whole(path, acknowledged)
