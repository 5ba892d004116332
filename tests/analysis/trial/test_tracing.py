"""The joining of yields and reads, on made-up books whose every answer is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis.trial.tracing import (
    MOST_POINTS,
    Held,
    Joined,
    Lags,
    delivery,
    delivery_lags,
    figures_of_trace,
    held_shares,
    joined,
    note_of,
    thinned,
    traced_request,
    tracing_cost,
    waterfall_of,
)
from results.records import MISSING, MemorySample
from results.run import Run, TrialSummary
from results.trace import LedgerRecord, PointArray, Trace
from tests.results.examples import SLOTS, STREAM, request, request_array, run_header

MS = 1_000_000
KIB = 1024


def points(*pairs: tuple[float, int]) -> PointArray:
    """(ms, bytes) as (ns, bytes)."""
    return np.array([(round(ms * MS), size) for ms, size in pairs], dtype=np.int64).reshape(-1, 2)


def reads_of(*given: tuple[float, int] | tuple[float, int, float | None]) -> PointArray:
    """(ms, bytes so far, ms of error) in ns; an error that is left out is 0, None is not known."""
    rows = [(ms, size, *(rest or (0.0,))) for ms, size, *rest in given]
    found = [
        (round(ms * MS), size, MISSING if error is None else round(error * MS)) for ms, size, error in rows
    ]
    return np.array(found, dtype=np.int64).reshape(-1, 3)


def ledger(yields: PointArray, **changed: Any) -> LedgerRecord:
    fields: dict[str, Any] = {
        "pid": 8,
        "remote_port": 40_001,
        "path": "/",
        "began_ns": 1 * MS,
        "ended_ns": 90 * MS,
        "closed_ns": 101 * MS,
        "ending": "exhausted",
        "sendfile_lost": False,
        "rss_at_begin_bytes": 1000 * KIB,
        "hwm_bytes": 1500 * KIB,
        "own_bytes": 0,
    }
    return LedgerRecord(yields=yields, **fields | changed)


def item(number: int, yields: PointArray, reads: PointArray, **changed: Any) -> Joined:
    """A request that is sent at 0 ms, has its first row at 25 ms and its last byte at 100 ms."""
    fields = {"sent_ns": 0, "first_body_ns": 20 * MS, "first_row_ns": 25 * MS, "last_ns": 100 * MS}
    fields["body_bytes"] = int(reads[-1, 1])
    row = request_array([request(**fields | changed)])[0]
    return Joined(number, row, reads, ledger(yields))


YIELDS = points((10, 100), (20, 0), (30, 50), (40, 150))


def lags_of(yields: PointArray, reads: PointArray) -> Lags:
    lags = delivery_lags(yields, reads)
    assert lags is not None
    return lags


def test_a_lag_is_from_the_yield_to_the_read_that_has_its_last_byte() -> None:
    lags = lags_of(YIELDS, reads_of((10.2, 40), (11, 100), (30.5, 149), (31, 151), (41, 300)))
    assert lags.yielded.tolist() == [10 * MS, 30 * MS, 40 * MS]
    assert lags.most.tolist() == lags.least.tolist() == [1 * MS, 1 * MS, 1 * MS]


def test_the_least_lag_is_what_the_stamp_s_error_leaves_of_it() -> None:
    lags = lags_of(YIELDS, reads_of((14, 100, 1.5), (33, 150, 9), (44, 300, None)))
    assert lags.most.tolist() == [4 * MS, 3 * MS, 4 * MS]
    assert lags.least.tolist() == [2.5 * MS, 0, 4 * MS]


def test_sizes_that_do_not_add_up_give_no_lags_and_a_note() -> None:
    reads = reads_of((11, 299))
    assert delivery_lags(YIELDS, reads) is None
    assert delivery_lags(YIELDS, reads_of()) is None
    assert delivery_lags(points(), reads) is None
    items = [item(number, YIELDS, reads) for number in range(3)]
    figures = figures_of_trace(items, [traced_request(one, []) for one in items])
    assert figures["delivery_lag_p50"] is figures["held"] is None
    assert figures["traced_ttlb_p50"] == 100 * MS
    assert "yielded 300 bytes and 299 arrived" in (note_of(items) or "")
    assert note_of([item(1, YIELDS, reads_of((41, 300)))]) is None


GAPS = points(*((10.0 * number, 100) for number in range(8)))


def test_held_to_the_end_is_a_straight_line_of_gaps() -> None:
    lags = lags_of(GAPS, reads_of((70.5, 800)))
    assert lags.most.tolist() == [round((70.5 - 10 * number) * MS) for number in range(8)]
    assert held_shares(lags) == Held(least=1, most=1, to_end=1)
    assert delivery({"held": 1.0, "held_at_most": 1.0, "held_to_end": 1.0}) == "held to the end"


def test_pairs_that_go_out_together_are_partly_held() -> None:
    shares = held_shares(lags_of(GAPS, reads_of((10.1, 200), (30.1, 400), (50.1, 600), (70.1, 800))))
    assert shares == Held(least=4 / 7, most=4 / 7, to_end=1 / 7)
    assert delivery({"held": 0.06, "held_at_most": 0.06, "held_to_end": 0.0}) == "partly held"


def test_a_client_that_was_late_cannot_tell() -> None:
    """One read of all, whose bytes may as well have arrived when they were yielded."""
    assert held_shares(lags_of(GAPS, reads_of((70.5, 800, 70.5)))) == Held(least=0, most=1, to_end=0)
    assert delivery({"held": 0.0, "held_at_most": 1.0, "held_to_end": 0.0}) == "cannot tell"


def test_slow_transport_and_quick_yields_are_not_held_chunks() -> None:
    slow = points((0, 100), (10, 100), (20, 100))
    assert held_shares(lags_of(slow, reads_of((5, 100), (15, 200), (25, 300)))) == Held(0, 0, 0)
    quick = points(*((0.1 * number, 100) for number in range(30)))
    at_once = reads_of(*((0.1 * number + 0.5, 100 * (number + 1)) for number in range(30)))
    assert held_shares(lags_of(quick, at_once)) == Held(0, 0, 0)
    assert delivery({"held": 0.05, "held_at_most": 0.05, "held_to_end": 0.0}) == "streams"


def test_what_a_short_response_yields_at_its_end_does_not_soften_that_it_is_held() -> None:
    """Yields of 3 ms that arrive after the last: those of the last one cannot be a millisecond late."""
    quick = points(*((0.1 * number, 100) for number in range(30)))
    assert held_shares(lags_of(quick, reads_of((2.95, 3000)))) == Held(1, 1, 1)
    assert held_shares(lags_of(points((0, 100), (0.1, 100), (0.2, 100)), reads_of((0.3, 300)))) is None


def test_of_one_chunk_nobody_can_say_whether_it_was_held() -> None:
    assert held_shares(lags_of(points((0, 100)), reads_of((5, 100)))) is None
    assert delivery({"held": None, "held_at_most": None, "held_to_end": None}) is None


def test_growth_is_exact_and_what_sampling_saw_of_it_is_taken_off() -> None:
    samples = [
        MemorySample(8, 0, 9000 * KIB),  # before the request
        MemorySample(8, 50 * MS, 1200 * KIB),
        MemorySample(9, 60 * MS, 5000 * KIB),  # another process
        MemorySample(8, 102 * MS, 9000 * KIB),  # after its close()
    ]
    one = item(1, YIELDS, reads_of((41, 300)))
    seen = traced_request(one, samples)
    assert (seen.memory_growth_bytes, seen.peak_missed_bytes) == (500 * KIB, 300 * KIB)
    unseen = traced_request(one, [])
    assert (unseen.memory_growth_bytes, unseen.peak_missed_bytes) == (500 * KIB, 500 * KIB)
    own = traced_request(replace(one, ledger=replace(one.ledger, own_bytes=100 * KIB)), [])
    assert (own.memory_growth_bytes, own.peak_missed_bytes) == (400 * KIB, 400 * KIB)
    above = traced_request(one, [MemorySample(8, 50 * MS, 1600 * KIB)])
    assert (above.memory_growth_bytes, above.peak_missed_bytes) == (600 * KIB, 0)
    crowded = traced_request(replace(one, ledger=replace(one.ledger, rss_at_begin_bytes=None)), samples)
    assert (crowded.memory_growth_bytes, crowded.peak_missed_bytes) == (None, None)


def test_the_warm_up_counts_for_the_greatest_growth_alone() -> None:
    reads = reads_of((12, 100), (41, 300))
    items = [item(0, YIELDS, reads_of((90, 300)), last_ns=900 * MS)] + [
        item(n, YIELDS, reads) for n in (1, 2)
    ]
    items[0] = replace(items[0], ledger=replace(items[0].ledger, hwm_bytes=3000 * KIB))
    figures = figures_of_trace(items, [traced_request(one, []) for one in items])
    assert figures["memory_growth_p50"] == 500 * KIB
    assert figures["memory_growth_max"] == figures["request_peak_missed"] == 2000 * KIB
    assert figures["yields"] == 4
    assert figures["chunk"] == 100
    assert figures["delivery_lag_p50"] == 2 * MS
    assert figures["delivery_lag_max"] == 11 * MS
    assert figures["first_row_share"] == 0.25
    assert figures["close_lag"] == 1 * MS
    assert (figures["traced_ttfb_p50"], figures["traced_ttlb_p50"]) == (20 * MS, 100 * MS)
    assert (figures["held"], figures["held_to_end"]) == (0.5, 0.5)


def test_a_request_is_joined_with_the_record_that_began_within_it() -> None:
    rows = request_array([request(sent_ns=n * 200 * MS, last_ns=(n * 200 + 100) * MS) for n in range(3)])
    reads = [reads_of((1, 1))] * 3
    mine = [ledger(YIELDS, began_ns=1 * MS), ledger(YIELDS, began_ns=201 * MS)]
    others = [
        ledger(YIELDS, began_ns=150 * MS),
        ledger(YIELDS, began_ns=202 * MS, remote_port=40_002),
    ]
    found = joined(rows, reads, [*others, *mine])
    assert [(one.number, one.ledger) for one in found] == [(0, mine[0]), (1, mine[1])]


def test_the_waterfall_is_that_of_the_median_request() -> None:
    reads = reads_of((12, 100), (41, 300))
    spans = {0: 90, 1: 300, 2: 100, 3: 200}
    items = [item(number, YIELDS, reads, last_ns=ms * MS, sent_ns=5 * MS) for number, ms in spans.items()]
    fall = waterfall_of(items)
    assert fall.request == 3
    assert fall.yields.tolist() == [[0, 5 * MS, 100], [1, 15 * MS, 100], [2, 25 * MS, 150], [3, 35 * MS, 300]]
    assert fall.reads.tolist() == [[0, 7 * MS, 100, 0], [1, 36 * MS, 300, 0]]


@pytest.mark.parametrize("count", [0, 1, MOST_POINTS, MOST_POINTS + 1, 7 * MOST_POINTS])
def test_points_are_thinned_evenly_with_the_first_and_the_last(count: int) -> None:
    many = np.column_stack([np.arange(count) * 10, np.arange(count)]).astype(np.int64)
    kept = thinned(many, 0)
    assert len(kept) == min(count, MOST_POINTS)
    if not count:
        return
    assert kept[0].tolist() == [0, 0, 0]
    assert kept[-1].tolist() == [count - 1, 10 * (count - 1), count - 1]
    steps = np.diff(kept[:, 0])
    assert (steps >= 1).all()
    assert not len(steps) or steps.max() - steps.min() <= 1


def test_the_cost_of_tracing_is_against_timed_trials_with_one_user() -> None:
    trace = Trace(STREAM.identity, "", None, figures={"traced_ttlb_p50": 150.0})
    figures = [{"ttlb_p50": value} for value in (100.0, 90.0, 110.0)]
    trials = [TrialSummary(SLOTS[0], None, 0, 0, 0, 0, "sync", of_trial, {}, {}) for of_trial in figures] + [
        TrialSummary(SLOTS[4], "spoilt", 0, 0, 0, 0, "sync", {"ttlb_p50": 1.0}, {}, {})
    ]
    run = Run(run_header(), None, {}, trials)
    assert tracing_cost(run, trace, "ttlb") == 1.5
    assert tracing_cost(run, trace, "ttfb") is None
    crowd = replace(STREAM, parameters={**STREAM.parameters, "users": 8})
    slot = replace(SLOTS[0], case=crowd.identity)
    crowded = Run(run_header(cases=[crowd]), None, {}, [replace(trials[0], slot=slot)])
    assert tracing_cost(crowded, replace(trace, case=crowd.identity), "ttlb") is None
