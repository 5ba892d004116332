"""The client's error from made-up books of both sides, and which error a figure has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.trial.calibration import TruthMismatch, calibration_point, client_error_of, joined
from results.calibration import Answers, CalibrationPoint, ServerTruth
from results.case import Case
from results.errors import ExitCode, MeasurementError
from results.metrics import FIGURES
from results.records import COLUMN, MISSING, Outcome
from tests.results.examples import OPEN_NS, SECOND, load_record, request, request_array

US = 1000


def books(
    errors_us: list[int], *, lag_us: int = 50, ports: int = 3, sent_ns: int = OPEN_NS
) -> tuple[list[dict[str, int]], ServerTruth]:
    """Both sides of so many requests, dealt out to connections; each has this error and is read late."""
    turns: dict[int, int] = {}
    requests, rows = [], []
    for number, error_us in enumerate(errors_us):
        port = 40_000 + number % ports
        sent = sent_ns + number * 1_000 * US
        before = sent + 700 * US
        requests.append(
            request(
                connection=port,
                sent_ns=sent,
                first_body_ns=before + error_us * US,
                client_lag_ns=lag_us * US,
                stamp_error_ns=9 * US,
            )
        )
        rows.append(
            (port, turns.setdefault(port, 0), sent + 100 * US, before, before + 5 * US, before + 6 * US)
        )
        turns[port] += 1
    return requests, ServerTruth(*np.array(rows, dtype=np.int64).T)


def shuffled(truth: ServerTruth, order: list[int]) -> ServerTruth:
    return ServerTruth(*(getattr(truth, name)[order] for name in ServerTruth.__slots__))


@given(st.permutations(range(30)), st.permutations(range(30)))
def test_both_sides_are_joined_whatever_their_order(ours: list[int], theirs: list[int]) -> None:
    requests, truth = books(list(range(30)))
    array, mixed = request_array([requests[number] for number in ours]), shuffled(truth, theirs)
    found, order = joined(array, mixed)
    errors = found[:, COLUMN["first_body_ns"]] - mixed.first_before_ns[order]
    assert sorted(errors.tolist()) == [number * US for number in range(30)]
    assert (found[:, COLUMN["sent_ns"]] + 100 * US == mixed.received_ns[order]).all()


def test_errors_are_those_of_the_books() -> None:
    errors_us = [*range(-50, 0), *range(1, 51)]
    requests, truth = books(errors_us)
    point = calibration_point(3, Answers.ONCE, load_record(requests), truth)
    sizes = np.array([abs(error) for error in errors_us]) * US
    late = np.array([abs(error + 50) for error in errors_us]) * US
    assert point == CalibrationPoint(
        users=3,
        answers=Answers.ONCE,
        requests=100,
        stamped=True,
        error_p50_ns=float(np.quantile(sizes, 0.5)),
        error_p95_ns=float(np.quantile(sizes, 0.95)),
        error_p99_ns=float(np.quantile(sizes, 0.99)),
        error_max_ns=50 * US,
        loop_error_p50_ns=float(np.quantile(late, 0.5)),
        loop_error_p95_ns=float(np.quantile(late, 0.95)),
        lag_p99_ns=50 * US,
        stamp_error_p99_ns=9 * US,
        client_cpu=(SECOND // 3) / (11 * SECOND),
    )


def test_without_stamps_the_loop_s_clock_is_the_client_s() -> None:
    requests, truth = books([7] * 40)
    bare = [entry | {"client_lag_ns": MISSING, "stamp_error_ns": MISSING} for entry in requests]
    point = calibration_point(1, Answers.ON, load_record(bare), truth)
    assert not point.stamped
    assert point.error_p50_ns == point.loop_error_p50_ns == 7 * US
    assert point.lag_p99_ns is None
    assert point.stamp_error_p99_ns is None


def test_the_warm_up_does_not_count() -> None:
    early, its_truth = books([900] * 30, sent_ns=OPEN_NS - SECOND)
    inside, truth = books([7] * 30)
    both = ServerTruth(
        *(np.concatenate([getattr(its_truth, name), getattr(truth, name)]) for name in ServerTruth.__slots__)
    )
    both.turn[30:] += 10
    point = calibration_point(3, Answers.ONCE, load_record([*early, *inside]), both)
    assert (point.requests, point.error_max_ns) == (30, 7 * US)


def changed(truth: ServerTruth, name: str, at: int, value: int) -> ServerTruth:
    column = getattr(truth, name).copy()
    column[at] = value
    return replace(truth, **{name: column})


@pytest.mark.parametrize("side", ["client", "server"])
def test_a_request_on_one_side_only_is_refused(side: str) -> None:
    requests, truth = books([5] * 30)
    if side == "client":
        truth = shuffled(truth, list(range(29)))
    else:
        del requests[-1]
    with pytest.raises(
        TruthMismatch, match=r"the client recorded .*, and the server .*calibrate again"
    ) as told:
        joined(request_array(requests), truth)
    assert told.value.exit_code is ExitCode.INVALID


@pytest.mark.parametrize(("name", "value"), [("connection", 50_000), ("turn", 11)])
def test_another_connection_or_turn_is_refused(name: str, value: int) -> None:
    requests, truth = books([5] * 30)
    with pytest.raises(TruthMismatch, match=f"request .* stands where the server has .*{value}"):
        joined(request_array(requests), changed(truth, name, 29, value))


def test_a_request_received_before_it_was_sent_is_refused() -> None:
    requests, truth = books([5] * 30)
    early = changed(truth, "received_ns", 4, requests[4]["sent_ns"] - 1)
    with pytest.raises(TruthMismatch, match="request 1 from port 40001 was received before it was sent"):
        joined(request_array(requests), early)


def test_failed_responses_and_too_few_are_no_calibration() -> None:
    requests, truth = books([5] * 30)
    broken = [*requests[:-1], requests[-1] | {"outcome": Outcome.TRUNCATED}]
    with pytest.raises(MeasurementError, match=r"1 of 30 responses .*cut off"):
        calibration_point(1, Answers.ONCE, load_record(broken, errors={"cut off": 1}), truth)
    requests, truth = books([5] * 19)
    with pytest.raises(MeasurementError, match=r"only 19 requests .*20 are needed"):
        calibration_point(1, Answers.ONCE, load_record(requests), truth)


def point(users: int, p50_us: int, answers: Answers = Answers.ONCE) -> CalibrationPoint:
    """With a p95 of twice and a p99 of three times the median."""
    requests, truth = books([p50_us] * 20)
    made = calibration_point(users, answers, load_record(requests), truth)
    return replace(made, error_p95_ns=2.0 * p50_us * US, error_p99_ns=3.0 * p50_us * US)


POINTS = [point(1, 10), point(8, 20), point(100, 70)]


def of_users(users: int | None) -> Case:
    return Case({"target": "orders", **({} if users is None else {"users": users})}, baseline=None)


@pytest.mark.parametrize(
    ("users", "error_us"), [(1, 10), (2, 20), (8, 20), (9, 70), (100, 70), (101, 70), (None, 70)]
)
def test_the_error_is_that_of_as_many_users_or_more(users: int | None, error_us: int) -> None:
    assert client_error_of(POINTS, FIGURES["ttfb_p50"], of_users(users)) == error_us * US
    assert client_error_of(POINTS[::-1], FIGURES["ttlb_p95"], of_users(users)) == 2 * error_us * US


def test_of_two_points_with_as_many_users_the_larger_error_counts() -> None:
    both = [point(4, 10), point(4, 90, Answers.ON)]
    assert client_error_of(both, FIGURES["ttfb_p50"], of_users(3)) == 90 * US


def test_what_is_no_time_and_what_was_not_calibrated_has_no_error() -> None:
    others = [figure for figure in FIGURES.values() if figure.quantile is None]
    assert {"throughput", "peak_memory", "cpu_per_mb"} <= {figure.name for figure in others}
    assert {client_error_of(POINTS, figure, of_users(1)) for figure in others} == {None}
    assert client_error_of([], FIGURES["ttfb_p50"], of_users(1)) is None


def test_of_several_load_processes_the_worst_one_counts() -> None:
    """Each by its own points: one that was calibrated with fewer users is not left out for that."""
    good, bad = point(8, 10), replace(point(4, 90), worker=1)
    assert client_error_of([good, bad], FIGURES["ttfb_p50"], of_users(8)) == 90 * US
    assert client_error_of([bad, good], FIGURES["ttfb_p50"], of_users(8)) == 90 * US
    assert client_error_of([good, replace(bad, users=8)], FIGURES["ttfb_p50"], of_users(1)) == 90 * US
