"""``show`` of a run that several load processes made: who they were, and whose words are shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.show import command
from results.calibration import CalibrationPoint
from results.store import Store
from results.workers import WorkerShare
from tests.analysis.crews import BOUND_NS, share, worker
from tests.analysis.examples import calibrated
from tests.results.examples import SLOTS, load_record, request, run_header, trial_record

POINTS: list[CalibrationPoint] = [calibrated(1000), replace(calibrated(9000), worker=1)]


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A run by two workers, of whom the second calls itself something that would turn the screen red."""
    shares: list[WorkerShare] = [share(0), share(1, BOUND_NS // 2)]
    path = tmp_path / "run.sqlite"
    header = run_header(environment={"cpu": "x", "load_processes": {"elsewhere": 2}})
    with Store.create(path, header) as store:
        store.add_workers([worker(0), replace(worker(1, "load-b"), name="\x1b[31m[red]b", host="[bold]b")])
        store.add_calibration(POINTS)
        for slot in SLOTS:
            store.add_trial(trial_record(slot.position, load=load_record([request()], workers=shares)))
    return path


def test_show_names_the_workers_and_what_their_clocks_leave_open(stored: Path) -> None:
    done = CliRunner().invoke(command, [str(stored)])
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert "load made    by 2 load processes on 2 machines" in lines
    (clocks,) = [line for line in lines if line.startswith("clocks ")]
    assert clocks.endswith("may be off, by up to 40 µs")
    (first,) = [line for line in lines if line.startswith("0 (load-a/0)") and "load machine" in line]
    assert [cell.strip() for cell in first.split("│")][1:5] == ["6", "300", "10%", "40 µs"]
    assert "\x1b" not in done.output
    assert "1 (\\x1b[31m[red]b)" in done.output
    assert "[bold]b" in done.output


def test_show_has_each_worker_s_own_error_and_what_the_worst_one_hides(stored: Path) -> None:
    lines = CliRunner().invoke(command, [str(stored)]).output.splitlines()
    rows = [line for line in lines if "answers once" in line]
    assert [row.startswith(start) for row, start in zip(rows, ("0 (", "1 ("), strict=True)] == [True, True]
    assert "9 µs with 1 user." in next(line for line in lines if "cannot be seen here" in line)
