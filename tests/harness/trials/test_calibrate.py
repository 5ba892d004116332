"""The real load driver against the real reference server: what comes out is the client's error."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from analysis.trial.calibration import FEWEST_REQUESTS, TooFewRequests
from harness.programs.cores import split_cores
from harness.trials.calibrate import SCHEDULES, Calibrator, Length
from harness.trials.workshop import workshop
from results.calibration import Answers, CalibrationPoint

LENGTH = Length(0.2, 1.0, SCHEDULES)


@pytest.fixture(scope="module")
def calibrator() -> Iterator[Calibrator]:
    with workshop(split_cores()) as shop:
        yield Calibrator(shop)


@pytest.fixture(scope="module")
def points(calibrator: Calibrator) -> list[CalibrationPoint]:
    return calibrator.points([1, 20], list(Answers), LENGTH)


def test_there_is_a_point_for_each_load_in_order(points: list[CalibrationPoint]) -> None:
    assert [(point.users, point.answers) for point in points] == [
        (1, Answers.ONCE),
        (1, Answers.ON),
        (20, Answers.ONCE),
        (20, Answers.ON),
    ]
    once = {point.users: point.requests for point in points if point.answers is Answers.ONCE}
    assert once[20] > 2 * once[1]
    assert all(0 < point.client_cpu < 1.1 for point in points)


def test_the_quantiles_are_in_order_and_the_first_byte_came_in_time(points: list[CalibrationPoint]) -> None:
    for point in points:
        assert 0 < point.error_p50_ns <= point.error_p95_ns <= point.error_p99_ns <= point.error_max_ns
        # the server sends after 10 ms: with another response's truth it would be off by as much
        assert point.answers is Answers.ON or point.error_p50_ns < 5e6


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's stamps are Linux's")
def test_the_kernel_s_stamp_is_nearer_to_the_truth_than_the_loop_s_clock(
    points: list[CalibrationPoint],
) -> None:
    for point in points:
        assert point.stamped
        assert point.error_p50_ns < point.loop_error_p50_ns
        assert point.lag_p99_ns is not None
        assert point.stamp_error_p99_ns is not None


def test_too_few_requests_are_asked_for_once_more_in_a_longer_window(calibrator: Calibrator) -> None:
    """A response takes 10 ms: of 20 that are needed, one user sends 18 in 180 ms at most, 54 in 540."""
    (point,) = calibrator.points([1], [Answers.ONCE], Length(0.1, 0.18, SCHEDULES))
    assert point.requests >= FEWEST_REQUESTS
    with pytest.raises(TooFewRequests, match="20 are needed"):
        calibrator.points([1], [Answers.ONCE], Length(0.1, 0.04, SCHEDULES))
