"""Each figure of a trial from requests and processes whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.trial.figures import figures_of_trial
from analysis.trial.tree_pss import why_untold
from results.follow_ups import STRUCT, unpack_follow_ups
from results.metrics import FIGURES, Better
from results.records import AS_PLANNED, MISSING, Outcome
from tests.results.examples import (
    CLOSE_NS,
    OPEN_NS,
    SECOND,
    load_record,
    process_memory,
    request,
    server_record,
)

MS = 1_000_000
#: A response that was through before the window opened.
WARM_UP = request(sent_ns=OPEN_NS - SECOND, last_ns=OPEN_NS - 1)
FAILURES = [outcome for outcome in Outcome if outcome not in AS_PLANNED]
OF_STREAMS = {
    name: figure for name, figure in FIGURES.items() if not figure.needs_others and not figure.needs_hang_up
}


def figures(requests: Sequence[dict[str, int]]) -> dict[str, float | None]:
    return figures_of_trial(load_record(requests), server_record([process_memory(1)]))


def answered(ttfb_ns: int, **fields: int) -> dict[str, int]:
    sent = fields.pop("sent_ns", OPEN_NS + SECOND)
    return request(sent_ns=sent, first_body_ns=sent + ttfb_ns, **fields)


def test_each_latency_is_between_its_own_two_instants() -> None:
    sent = OPEN_NS + 5 * SECOND
    one = request(
        sent_ns=sent,
        intended_ns=sent - 70 * MS,
        connected_ns=sent - 30 * MS,
        headers_ns=sent + 1 * MS,
        first_body_ns=sent + 2 * MS,
        first_row_ns=sent + 3 * MS,
        last_ns=sent + 11 * MS,
        stall_max_ns=4 * MS,
    )
    found = figures([one])
    assert {name: found[name] for name in OF_STREAMS if name.endswith("_p50")} == {
        "tthb_p50": 1 * MS,
        "ttfb_p50": 2 * MS,
        "ttfb_effective_p50": 72 * MS,
        "ttfr_p50": 3 * MS,
        "ttlb_p50": 11 * MS,
        "ttlb_effective_p50": 81 * MS,
        "stall_max_p50": 4 * MS,
    }


def test_quantiles_are_interpolated_between_order_statistics() -> None:
    found = figures([answered(value * MS) for value in range(20, -1, -1)])
    assert found["ttfb_p50"] == 10 * MS
    assert found["ttfb_p95"] == 19 * MS
    found = figures([answered(value * MS) for value in range(1, 41)])
    assert found["ttfb_p50"] == 20.5 * MS
    assert found["ttfb_p95"] == pytest.approx(38.05 * MS)


def test_a_p95_needs_twenty_requests() -> None:
    one = request(intended_ns=OPEN_NS)
    few, enough = figures([one] * 19), figures([one] * 20)
    for name, figure in OF_STREAMS.items():
        if figure.quantile == 0.95:
            assert few[name] is None
            assert enough[name] is not None
    assert few["ttfb_p50"] == SECOND


def test_requests_that_do_not_count_do_not_make_up_the_twenty() -> None:
    found = figures([*[request()] * 19, request(outcome=Outcome.RESET), request(sent_ns=CLOSE_NS)])
    assert found["ttfb_p95"] is None


@pytest.mark.parametrize(
    ("sent_ns", "counts"),
    [(OPEN_NS - 1, False), (OPEN_NS, True), (CLOSE_NS - 1, True), (CLOSE_NS, False)],
)
def test_latencies_are_those_of_requests_sent_inside_the_window(sent_ns: int, *, counts: bool) -> None:
    found = figures([answered(7 * MS, sent_ns=sent_ns)])
    assert found["ttfb_p50"] == (7 * MS if counts else None)


@pytest.mark.parametrize(
    ("intended_ns", "counts"),
    [(OPEN_NS - 1, False), (OPEN_NS, True), (CLOSE_NS - 1, True), (CLOSE_NS, False)],
)
def test_in_an_open_loop_they_are_those_of_requests_intended_inside_the_window(
    intended_ns: int, *, counts: bool
) -> None:
    """One that waited for its turn until after the window is not the one to leave out."""
    found = figures([answered(7 * MS, intended_ns=intended_ns, sent_ns=CLOSE_NS + SECOND)])
    assert found["ttfb_p50"] == (7 * MS if counts else None)
    waited = CLOSE_NS + SECOND + 7 * MS - intended_ns
    assert found["ttfb_effective_p50"] == (waited if counts else None)


def test_a_closed_loop_has_no_effective_latency() -> None:
    found = figures([request()] * 30)
    effective = [name for name, figure in FIGURES.items() if figure.needs_schedule]
    assert effective
    assert [found[name] for name in effective] == [None] * len(effective)


@pytest.mark.parametrize(
    ("last_ns", "counted"), [(OPEN_NS - 1, 0), (OPEN_NS, 1), (CLOSE_NS - 1, 1), (CLOSE_NS, 0)]
)
def test_completions_are_those_inside_the_window(last_ns: int, counted: int) -> None:
    found = figures([request(sent_ns=OPEN_NS - SECOND, last_ns=last_ns)])
    assert found["requests_per_second"] == counted / 10


def test_bytes_count_where_they_arrived() -> None:
    requests = [
        request(body_bytes=500, bytes_at_open=500, bytes_at_close=500),  # all before the window
        request(body_bytes=1000, bytes_at_open=900, bytes_at_close=1000),  # the end of it inside
        request(body_bytes=2000, bytes_at_open=0, bytes_at_close=2000),  # all inside
        request(body_bytes=4000, bytes_at_open=0, bytes_at_close=700),  # the beginning of it inside
        request(body_bytes=8000, bytes_at_open=1000, bytes_at_close=4000),  # longer than the window
    ]
    assert figures(requests)["throughput"] == (100 + 2000 + 700 + 3000) / 10


def test_what_is_missing_is_left_out_and_never_0() -> None:
    gaps = {"headers_ns": MISSING, "first_body_ns": MISSING, "first_row_ns": MISSING, "stall_max_ns": MISSING}
    empty = figures([request(**gaps), request(**gaps)])
    assert [empty[f"{name}_p50"] for name in ("tthb", "ttfb", "ttfr", "stall_max")] == [None] * 4
    assert empty["ttlb_p50"] == 2 * SECOND
    mixed = figures([request(**gaps), request(), request()])
    assert [mixed[f"{name}_p50"] for name in ("tthb", "ttfb", "ttfr", "stall_max")] == [
        SECOND // 2,
        SECOND,
        SECOND,
        SECOND // 4,
    ]


def test_a_trial_without_requests_has_rates_of_0_and_no_latency() -> None:
    found = figures([])
    assert found["throughput"] == 0
    assert found["requests_per_second"] == 0
    assert found["cpu_per_mb"] is None
    assert not [name for name in found if FIGURES[name].quantile and found[name] is not None]


def test_every_figure_is_there_even_when_it_has_no_value() -> None:
    for server in (None, server_record([])):
        found = figures_of_trial(load_record([request()]), server)
        assert list(found) == list(FIGURES)
        assert [found[name] for name in ("peak_memory", "peak_rss", "peak_missed")] == [None] * 3
    assert figures_of_trial(load_record([request()]), None)["cpu_per_mb"] is None


def test_memory_is_that_of_the_worker_that_grew_or_stands_highest() -> None:
    found = figures_of_trial(
        load_record([request()]),
        server_record(
            [
                process_memory(1, role="master", rss_at_reset_bytes=0, hwm_bytes=900, sampled_peak_bytes=1),
                process_memory(2, rss_at_reset_bytes=100, hwm_bytes=190, sampled_peak_bytes=150),
                process_memory(3, rss_at_reset_bytes=200, hwm_bytes=250, sampled_peak_bytes=250),
            ]
        ),
    )
    assert found["peak_memory"] == 90
    assert found["peak_rss"] == 250
    assert found["peak_missed"] == 40


def test_without_a_kernel_mark_sampling_is_all_and_what_it_missed_is_unknown() -> None:
    unmarked = [
        process_memory(1, role="master", hwm_bytes=None, rss_at_reset_bytes=0, sampled_peak_bytes=900),
        process_memory(2, hwm_bytes=None, rss_at_reset_bytes=100, sampled_peak_bytes=150),
    ]
    found = figures_of_trial(load_record([request()]), server_record(unmarked))
    assert found["peak_memory"] == 50
    assert found["peak_rss"] == 150
    assert found["peak_missed"] is None


def test_what_is_retained_is_that_of_the_worker_that_kept_most_after_settling() -> None:
    processes = [
        process_memory(1, role="master", rss_at_reset_bytes=0, rss_settled_bytes=900),
        process_memory(2, rss_at_reset_bytes=100, rss_at_end_bytes=900, rss_settled_bytes=130),
        process_memory(3, rss_at_reset_bytes=200, rss_settled_bytes=220),
    ]
    found = figures_of_trial(load_record([request()]), server_record(processes))
    assert found["retained"] == 30
    shrunk = server_record([process_memory(1, rss_at_reset_bytes=100, rss_settled_bytes=60)])
    assert figures_of_trial(load_record([request()]), shrunk)["retained"] == -40


def test_tree_pss_is_the_largest_sum_that_was_read() -> None:
    server = server_record([process_memory(1)])
    assert figures_of_trial(load_record([WARM_UP]), server)["tree_pss"] == 44_000_000
    assert why_untold(load_record([WARM_UP]), server) is None


@pytest.mark.parametrize(
    ("requests", "changed", "why"),
    [
        ([request()], {}, "no response was completed within the warm-up"),
        ([{**WARM_UP, "last_ns": OPEN_NS}], {}, "no response was completed within the warm-up"),
        ([{**WARM_UP, "outcome": Outcome.RESET}], {}, "no response was completed within the warm-up"),
        ([{**WARM_UP, "sent_ns": OPEN_NS - SECOND // 4}], {}, "no time for a reading"),
        ([WARM_UP], {"pss_samples": [], "pss_method": "not told: forbidden"}, "not told: forbidden"),
        ([WARM_UP], {"processes": [], "pss_method": "not told: came and went"}, "came and went"),
    ],
)
def test_tree_pss_is_null_where_the_warm_up_cannot_have_shown_it(
    requests: list[dict[str, int]], changed: dict[str, Any], why: str
) -> None:
    load, server = load_record(requests), server_record([process_memory(1)])
    server = replace(server, **changed)
    assert figures_of_trial(load, server)["tree_pss"] is None
    told = why_untold(load, server)
    assert told is not None
    assert why in told


def test_cpu_is_over_all_bytes_of_the_trial_not_the_window_s_alone() -> None:
    requests = [
        request(
            sent_ns=OPEN_NS - SECOND, body_bytes=3_000_000, bytes_at_open=3_000_000, bytes_at_close=3_000_000
        ),
        request(body_bytes=1_000_000, bytes_at_close=1_000_000),
    ]
    load = load_record(requests)
    assert figures_of_trial(load, server_record([], cpu_ns=8 * SECOND))["cpu_per_mb"] == 2 * SECOND


FAILED = st.builds(
    request,
    outcome=st.sampled_from(FAILURES),
    sent_ns=st.integers(OPEN_NS - SECOND, CLOSE_NS - 1),
    headers_ns=st.integers(OPEN_NS, CLOSE_NS),
    first_body_ns=st.integers(OPEN_NS, CLOSE_NS),
    first_row_ns=st.integers(OPEN_NS, CLOSE_NS),
    last_ns=st.integers(OPEN_NS, CLOSE_NS),
    stall_max_ns=st.integers(MISSING, 5),
    body_bytes=st.integers(0, 10**9),
    bytes_at_close=st.integers(0, 10**9),
)


@given(st.lists(FAILED, min_size=1, max_size=5))
def test_failed_responses_never_make_anything_look_better(failed: list[dict[str, int]]) -> None:
    good = [WARM_UP, *(answered((10 + number) * MS, intended_ns=OPEN_NS) for number in range(25))]
    without, found = figures(good), figures(good + failed)
    for name, figure in OF_STREAMS.items():
        before, after = without[name], found[name]
        assert before is not None
        assert after is not None
        assert after >= before if figure.better is Better.LOWER else after <= before, name


def hung_up(waits_ms: Sequence[int | None], **fields: int) -> dict[str, float | None]:
    """The figures of a trial with a small request after each hang-up that waited so long, or in vain."""
    left = [OPEN_NS + number * MS for number in range(len(waits_ms))]
    packed = b"".join(
        STRUCT.pack(at, MISSING if wait is None else at + wait * MS, 0)
        for at, wait in zip(left, waits_ms, strict=True)
    )
    requests = [request(outcome=Outcome.HUNG_UP, **fields) for _ in left]
    return figures_of_trial(load_record(requests, follow_ups=unpack_follow_ups(packed)), None)


def test_what_waits_in_vain_waits_longer_than_anybody() -> None:
    found = hung_up([*range(1, 41), None])
    assert (found["served_after_p50"], found["served_after_p95"]) == (21 * MS, 39 * MS)
    assert found["unserved"] == pytest.approx(1 / 41)
    assert hung_up([*range(1, 22), None, None])["served_after_p95"] is None
    most = hung_up([1, None, None])
    assert most["served_after_p50"] is None
    assert most["unserved"] == pytest.approx(2 / 3)


def test_a_hang_up_has_a_first_byte_and_no_end() -> None:
    found = hung_up([5])
    assert found["ttfb_p50"] == SECOND
    assert {found[name] for name, figure in FIGURES.items() if figure.needs_end} == {None}
    assert all(found[name] is None for name in ("throughput", "requests_per_second", "ttlb_p50"))
    assert figures([request()])["served_after_p50"] is figures([request()])["unserved"] is None
