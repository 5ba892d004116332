"""Workers that are lost while their own error is measured: they cost the run neither its end nor another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from analysis.trial.calibration import TooFewRequests
from harness import conduct
from harness.loading.crew import own_crew
from harness.loading.load import LoadFailed, LoadGivenUp
from harness.loading.merging import RecordsLost
from harness.loading.newcomers import Newcomers
from results.calibration import Answers, CalibrationPoint
from results.errors import MeasurementError
from results.faults import Fault
from results.store import Store
from results.workers import Worker
from tests.results.examples import run_header

WORKERS = [Worker(number, f"load/{number}", "load", "1", "Linux", "", None, "now") for number in (0, 1)]
LOST = LoadFailed("worker load/0 was not heard of for 3.0 s", Fault.WORKER_LOST)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(tmp_path / "run.sqlite", run_header()) as made:
        yield made


def point(worker: int) -> CalibrationPoint:
    figures: dict[str, Any] = dict.fromkeys(CalibrationPoint.__dataclass_fields__, 0)
    return CalibrationPoint(**{**figures, "users": 1, "answers": Answers.ONCE, "worker": worker})


def newcomers(
    store: Store, fails: Sequence[Exception | None], calibrating: Callable[[], None] = lambda: None
) -> Newcomers:
    """Two workers; the tries to calibrate one fail so, in turn, and then no more."""
    left = iter(fails)

    def calibrate(workers: Sequence[Worker]) -> list[CalibrationPoint]:
        if (failure := next(left, None)) is not None:
            raise failure
        return [point(worker.number) for worker in workers]

    driver: Any = SimpleNamespace(workers=WORKERS, fewer=None)
    return Newcomers(driver, store, lambda _: None, lambda _: None, calibrating, calibrate)


@pytest.mark.parametrize("failure", [LOST, RecordsLost("of 3 records the last one arrived in part")])
def test_one_that_is_lost_at_the_begin_of_a_run_costs_no_other_and_is_tried_again(
    store: Store, failure: Exception
) -> None:
    said: list[str] = []
    muster = newcomers(store, [failure], lambda: said.append("calibrating"))
    shop: Any = SimpleNamespace(crew=own_crew(2, ""))
    nothing: Any = None
    conduct.calibrate(nothing, store, shop, nothing, muster)
    assert [found.worker for found in store.read().calibration] == [1]
    muster.before_trial()
    assert sorted(found.worker or 0 for found in store.read().calibration) == [0, 1]
    assert len(said) == 2, "not once for each worker"


def test_one_that_cannot_be_calibrated_later_does_not_end_the_run(store: Store) -> None:
    newcomers(store, [None, TooFewRequests("too few")]).before_trial()
    assert [found.worker for found in store.read().calibration] == [0]


@pytest.mark.parametrize("failure", [TooFewRequests("too few"), LoadGivenUp("gone", Fault.WORKER_LOST)])
def test_where_nobody_can_be_calibrated_the_run_ends(store: Store, failure: MeasurementError) -> None:
    with pytest.raises(type(failure)):
        newcomers(store, [failure]).before_trial()
