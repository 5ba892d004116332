"""Whether a response streams, from courses and schedules that are written down here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.doctor.delivery import (
    APART_NS,
    Delivery,
    Pace,
    Points,
    course_of,
    delivery_of,
    judged,
    judged_inside,
    pace_of,
    pieces_of,
)

MS = 1_000_000


def evenly(pieces: int, *, span_ms: int, size: int = 1000, first_ms: int = 0) -> Points:
    gap = (span_ms - first_ms) * MS // pieces
    return [(first_ms * MS + number * gap, size) for number in range(pieces)]


@pytest.mark.parametrize(
    ("pieces", "ended_ms", "delivery"),
    [
        (evenly(50, span_ms=100), 100, Delivery.STREAMS),
        (evenly(50, span_ms=100, first_ms=40), 100, Delivery.STREAMS),
        (evenly(50, span_ms=100, first_ms=60), 100, Delivery.PARTLY),
        (evenly(50, span_ms=100, first_ms=95), 100, Delivery.HELD),
        ([(100 * MS, 50_000)], 100, Delivery.HELD),
        ([(0, 300), (97 * MS, 50_000)], 100, Delivery.HELD),
        ([(0, 300), (90 * MS, 50_000)], 100, Delivery.PARTLY),
        ([(100 * MS, 500)], 100, Delivery.CANNOT_TELL),
        (evenly(50, span_ms=9), 9, Delivery.CANNOT_TELL),
        ([], 100, Delivery.CANNOT_TELL),
    ],
)
def test_arrivals_alone(pieces: Points, ended_ms: int, delivery: Delivery) -> None:
    assert judged(course_of(0, pieces, ended_ms * MS)) is delivery


def test_the_first_row_counts_and_not_the_first_byte() -> None:
    pieces = evenly(50, span_ms=100)
    assert judged(course_of(0, pieces, 100 * MS, first_row_ns=60 * MS)) is Delivery.PARTLY


@pytest.mark.parametrize(
    ("pieces", "ended_ms", "delivery"),
    [
        (evenly(50, span_ms=2), 2, Delivery.STREAMS),
        ([(0, 100), (1 * MS, 50_000), (2 * MS, 100)], 2, Delivery.HELD),
        ([(0, 1000), (1 * MS, 9000), (2 * MS, 500)], 2, Delivery.PARTLY),
        ([(2 * MS, 50_000)], 2, Delivery.HELD),
        ([(2 * MS, 500)], 2, Delivery.CANNOT_TELL),
        (evenly(50, span_ms=100, first_ms=95), 100, Delivery.HELD),
    ],
)
def test_what_an_app_hands_over_is_told_however_fast(
    pieces: Points, ended_ms: int, delivery: Delivery
) -> None:
    assert judged_inside(course_of(0, pieces, ended_ms * MS)) is delivery


def test_reads_that_follow_each_other_at_once_are_one_arrival() -> None:
    at_once = [(5 * MS + number * 1000, 100) for number in range(10)]
    course = course_of(0, at_once, 6 * MS, apart_ns=APART_NS)
    assert course is not None
    assert (course.pieces, course.largest_share) == (1, 1.0)
    slowly = [(number * 700_000, 100) for number in range(100)]
    course = course_of(0, slowly, 70 * MS, apart_ns=APART_NS)
    assert course is not None
    assert course.pieces == 50
    assert course.half_share == pytest.approx(0.49, abs=0.02)


YIELDS: Points = [(number * 30 * MS, 100) for number in range(8)]


def arriving(*arrivals: tuple[float, int]) -> Points:
    return [(round(at_ms * MS), size) for at_ms, size in arrivals]


@pytest.mark.parametrize(
    ("arrivals", "delivery", "held_bytes"),
    [
        ([(at / MS + 0.1, size) for at, size in YIELDS], Delivery.STREAMS, 0),
        ([(at / MS + 29, size) for at, size in YIELDS], Delivery.STREAMS, 0),
        ([(211, 800)], Delivery.HELD, 700),
        # the buffer holds three pieces
        ([(60.1, 300), (150.1, 300), (210.1, 200)], Delivery.PARTLY, 200),
        # a little of each piece waits for the next one: it streams
        ([(0.1, 95), *((at / MS + 0.1, 100) for at, _ in YIELDS[1:-1]), (210.1, 105)], Delivery.STREAMS, 5),
        # each piece waits for the next one
        ([(at / MS + 30.1, size) for at, size in YIELDS], Delivery.PARTLY, 100),
    ],
)
def test_a_probe_shows_what_a_layer_holds(
    arrivals: list[tuple[float, int]], delivery: Delivery, held_bytes: int
) -> None:
    pace = pace_of(YIELDS, arriving(*arrivals))
    assert (pace.gaps, pace.delivery, pace.most_held_bytes) == (7, delivery, held_bytes)


def test_of_other_bytes_only_the_instants_count() -> None:
    flushed = [(at / MS + 0.1, 60) for at, _ in YIELDS]
    assert pace_of(YIELDS, arriving(*flushed)).delivery is Delivery.STREAMS
    # a compressor's header comes at once
    assert pace_of(YIELDS, arriving((0.1, 10), (211, 400))).delivery is Delivery.HELD
    some = pace_of(YIELDS, arriving((0.1, 10), (100, 200), (211, 200)))
    assert (some.delivery, some.lag_p50_ns, some.most_held_bytes) == (Delivery.PARTLY, None, None)


def test_a_layer_that_lets_large_pieces_through_does_not_hold_to_the_end() -> None:
    held = pace_of(YIELDS, arriving((211, 800)))
    through = Pace(7, 0, 0, 0, 1e5)
    some = Pace(7, 7, 1, 3000, 3e7)
    assert delivery_of(held, None) is Delivery.HELD
    assert delivery_of(held, held) is Delivery.HELD
    assert delivery_of(held, through) is Delivery.PARTLY
    assert delivery_of(held, some) is Delivery.PARTLY


@given(st.lists(st.integers(1, 10_000), min_size=2, max_size=30), st.integers(1, 20 * MS))
def test_a_constant_lag_below_the_gap_is_never_taken_for_holding(sizes: list[int], lag_ns: int) -> None:
    yields = [(number * 30 * MS, size) for number, size in enumerate(sizes)]
    pace = pace_of(yields, [(at + lag_ns, size) for at, size in yields])
    assert (pace.late, pace.lag_p50_ns) == (0, lag_ns)


def test_bytes_so_far_become_pieces() -> None:
    assert pieces_of([(1, 10), (5, 15), (9, 40)]) == [(1, 10), (5, 5), (9, 25)]
