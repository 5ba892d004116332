"""``calibrate``, and the short calibration that each run makes and keeps."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.calibrate import command
from harness.trials.calibrate import Calibrator
from results.store import Store
from tests.cli.conftest import Measured, Streamgauge


def test_calibrate_tells_the_error_and_what_it_means(streamgauge: Streamgauge, tmp_path: Path) -> None:
    done = streamgauge("calibrate", "--users", "3, 1")
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if "answers once" in line or "keeps on" in line]
    assert [row[0] for row in rows] == ["1", "1", "3", "3"]
    assert "Differences of median TTFB below these cannot be seen here" in done.stdout
    assert "with 1 user, " in done.stdout
    assert "with 3 users." in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_calibrate_writes_json(narrow_run: Measured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of points that a run has measured: that the verb measures its own, the table has shown."""
    with Store.open(narrow_run.store) as store:
        kept = store.read().calibration
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where nobody else measures
    monkeypatch.setattr(Calibrator, "points", lambda _self, users, _answers, _length: kept[-len(users) :])
    done = CliRunner().invoke(command, ["--users", "1,2", "--json"])
    assert done.exit_code == 0, done.stderr
    points = json.loads(done.stdout)
    assert [(point["users"], point["answers"]) for point in points] == [(2, "once"), (2, "on")]
    assert all(0 < point["error_p50_ns"] <= point["error_max_ns"] for point in points)


@pytest.mark.parametrize("users", ["0", "", "1,,2", "1001", "many", "-1"])
def test_numbers_of_users_that_make_no_sense_are_refused(streamgauge: Streamgauge, users: str) -> None:
    done = streamgauge("calibrate", "--users", users)
    assert done.returncode == 2
    assert "numbers from 1 to 1000, like 1,8,32" in done.stderr


def test_a_run_keeps_its_calibration_and_a_resumption_does_not_repeat_it(
    streamgauge: Streamgauge, narrow_run: Measured, tmp_path: Path
) -> None:
    assert "calibrating the client with 1 and 2 users" in narrow_run.done.stdout
    with Store.open(narrow_run.copied_to(tmp_path)) as store:
        kept = store.read().calibration
    points = [(point.users, point.answers.value) for point in kept]
    assert points == [(1, "once"), (1, "on"), (2, "once"), (2, "on")]

    again = streamgauge("run", "--resume", "run.sqlite")
    assert again.returncode == 0, again.stderr
    assert "calibrating" not in again.stdout
    with Store.open(tmp_path / "run.sqlite") as store:
        assert store.read().calibration == kept

    shown = streamgauge("show", "run.sqlite").stdout
    assert "The client's own error" in shown
    assert "cannot be seen here" in shown
