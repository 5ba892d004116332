"""The calibration comes back from the store as it was given."""

from __future__ import annotations

from pathlib import Path

from results.calibration import Answers, CalibrationPoint
from results.store import Store
from tests.results.examples import run_header

STAMPED = CalibrationPoint(1, Answers.ONCE, 90, True, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 0.25)
UNSTAMPED = CalibrationPoint(8, Answers.ON, 700, False, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, None, None, 0.5)


def test_a_calibration_comes_back_as_it_was_given(tmp_path: Path) -> None:
    with Store.create(tmp_path / "run.sqlite", run_header()) as store:
        assert store.read().calibration == []
        store.add_calibration([UNSTAMPED, STAMPED])
    with Store.open(tmp_path / "run.sqlite") as store:
        assert store.read().calibration == [STAMPED, UNSTAMPED]
