"""The end table's rows: names that tell cases apart, medians, and ratios block by block."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.summary import CaseSummary, labels, requests_inside, summarize
from results.case import Case
from tests.analysis.examples import Invalid, run_of
from tests.results.examples import BROKEN, STREAM, WHOLE

DRIFT = [1.0, 7.0, 3.0, 0.5, 11.0, 2.0, 5.0, 1.5]


def case(**parameters: Any) -> Case:
    return Case({"target": "orders", "form": "stream", "server": "gunicorn", "users": 1, **parameters}, None)


def rows_of(*cases: Case) -> list[str]:
    return list(labels(cases).values())


def test_a_name_holds_what_tells_a_case_from_the_others() -> None:
    assert rows_of(case(form="whole"), case(rows=1), case(rows=500)) == [
        "orders whole",
        "orders rows=1",
        "orders rows=500",
    ]
    assert rows_of(case(form="whole", total=9), case(total=9, rows=5)) == ["orders whole", "orders rows=5"]
    assert rows_of(case(rows=5, users=1), case(rows=5, users=8)) == ["orders users=1", "orders users=8"]
    assert rows_of(case(worker_class="sync"), case(worker_class="gthread", threads=4)) == [
        "orders sync",
        "orders gthread",
    ]
    assert rows_of(case(worker_class="gthread", threads=2), case(worker_class="gthread", threads=4)) == [
        "orders threads=2",
        "orders threads=4",
    ]
    assert rows_of(case(keep_alive=True), case(keep_alive=False)) == [
        "orders keep_alive=true",
        "orders keep_alive=false",
    ]
    assert rows_of(case(target="a", rows=1), case(target="b", rows=1), case(target="b", rows=2)) == [
        "a",
        "b rows=1",
        "b rows=2",
    ]
    assert rows_of(case(rows=1)) == ["orders"]


@given(
    st.dictionaries(
        st.sampled_from(["target", "form", "rows", "n", "worker_class", "workers", "threads", "users"]),
        st.lists(st.sampled_from(["x", "y", 1, 2]), min_size=1, max_size=2, unique=True),
        min_size=3,
        max_size=6,
    )
)
def test_no_two_cases_of_a_matrix_have_one_name(axes: dict[str, list[str | int]]) -> None:
    matrix = [case(**dict(zip(axes, values, strict=True))) for values in itertools.product(*axes.values())]
    names = labels(matrix)
    assert len(set(names.values())) == len(names) == len(matrix)


def row(rows: list[CaseSummary], label: str) -> CaseSummary:
    (found,) = [row for row in rows if row.label == label]
    return found


def test_each_baseline_is_followed_by_its_control_and_failures_are_not_timed() -> None:
    rows = summarize(run_of((WHOLE, [{}]), (STREAM, [{}]), (BROKEN, [])))
    assert [(row.label, row.control) for row in rows] == [
        ("orders whole", False),
        ("orders whole (again)", True),
        ("orders rows=500", False),
    ]


@pytest.mark.parametrize("name", ["ttfb_p50", "throughput", "cpu_per_mb", "peak_memory"])
def test_what_the_machine_does_to_a_block_cancels(name: str) -> None:
    rows = summarize(
        run_of(
            (WHOLE, [{name: 1000e6 * level} for level in DRIFT]),
            (STREAM, [{name: 250e6 * level} for level in DRIFT]),
            control=[{name: 1000e6 * level} for level in DRIFT],
        )
    )
    assert row(rows, "orders rows=500").estimates[name].ratio == pytest.approx(0.25)
    assert row(rows, "orders whole (again)").estimates[name].ratio == pytest.approx(1)
    assert row(rows, "orders whole").estimates[name].ratio is None
    assert row(rows, "orders rows=500").estimates[name].value == pytest.approx(250e6 * 2.5)


def test_a_ratio_is_of_the_blocks_and_not_of_the_medians() -> None:
    whole, stream = [100.0, 200.0, 400.0], [200.0, 100.0, 800.0]
    run = run_of(
        (WHOLE, [{"ttfb_p50": value} for value in whole]), (STREAM, [{"ttfb_p50": value} for value in stream])
    )
    # log2 of the ratios: 1, -1, 1; their Walsh averages: -1, 0, 0, 1, 1, 1
    ratio = row(summarize(run), "orders rows=500").estimates["ttfb_p50"].ratio
    assert ratio == pytest.approx(2**0.5)


def test_invalid_trials_are_left_out_with_their_partners() -> None:
    good, half, slow, fast = ({"ttfb_p50": value, "peak_memory": value * 1e6} for value in (100, 50, 1e9, 1))
    run = run_of(
        (WHOLE, [good] * 3 + [Invalid(slow)] * 4 + [slow] * 4), (STREAM, [half] * 7 + [Invalid(fast)] * 4)
    )
    rows = summarize(run)
    streamed = row(rows, "orders rows=500")
    assert streamed.estimates["ttfb_p50"].ratio == pytest.approx(0.5)
    assert streamed.estimates["peak_memory"].ratio == pytest.approx(0.5)
    assert streamed.estimates["ttfb_p50"].value == 50
    assert (streamed.trials, streamed.invalid) == (11, 4)
    assert (streamed.responses, streamed.failed) == (110, 8)
    assert (row(rows, "orders whole").trials, row(rows, "orders whole").invalid) == (11, 4)


@pytest.mark.parametrize(
    ("whole", "stream", "ratio"),
    [
        (0, 0, None),
        (0, 4096, None),
        (-4096, 0, None),
        (8192, 2048, None),  # less than the kernel's counters can tell from nothing
        (8 << 20, 0, 0),
        (8 << 20, 2 << 20, 0.25),
    ],
)
def test_memory_that_grew_by_nothing_has_a_ratio_where_there_is_one(
    whole: float, stream: float, ratio: float | None
) -> None:
    run = run_of((WHOLE, [{"peak_memory": whole}] * 3), (STREAM, [{"peak_memory": stream}] * 3))
    assert row(summarize(run), "orders rows=500").estimates["peak_memory"].ratio == ratio


def test_a_figure_below_1_has_a_ratio_as_any_other() -> None:
    run = run_of((WHOLE, [{"requests_per_second": 0.5}]), (STREAM, [{"requests_per_second": 0.25}]))
    assert row(summarize(run), "orders rows=500").estimates["requests_per_second"].ratio == pytest.approx(0.5)
    run = run_of((WHOLE, [{"requests_per_second": 0.0}]), (STREAM, [{"requests_per_second": 0.25}]))
    assert row(summarize(run), "orders rows=500").estimates["requests_per_second"].ratio is None


def test_a_figure_that_is_nowhere_or_0_has_no_ratio() -> None:
    run = run_of(
        (WHOLE, [{"ttfb_p95": None, "throughput": 5.0}, {"ttfb_p95": 9.0, "throughput": 5.0}]),
        (STREAM, [{"ttfb_p95": 3.0, "throughput": 0.0}, {"ttfb_p95": None, "throughput": 1.0}]),
    )
    estimates = row(summarize(run), "orders rows=500").estimates
    assert (estimates["ttfb_p95"].value, estimates["ttfb_p95"].ratio) == (None, None)
    assert (estimates["throughput"].value, estimates["throughput"].ratio) == (0.5, None)
    assert (estimates["cpu_per_mb"].value, estimates["cpu_per_mb"].ratio) == (None, None)


def test_a_figure_that_only_some_trials_can_give_is_no_figure_of_the_case() -> None:
    """The trials with 20 requests are the fast ones: their p95 alone would flatter."""
    run = run_of(
        (WHOLE, [{"ttfb_p95": 9.0}, {"ttfb_p95": None}]),
        (STREAM, [{"ttfb_p95": 3.0}, {"ttfb_p95": 4.0}]),
    )
    rows = summarize(run)
    assert row(rows, "orders whole").estimates["ttfb_p95"].value is None
    assert row(rows, "orders rows=500").estimates["ttfb_p95"].value == 3.5
    assert row(rows, "orders rows=500").estimates["ttfb_p95"].ratio is None


def test_a_run_without_trials_has_rows_without_figures() -> None:
    (only, again) = summarize(run_of((WHOLE, [])))
    assert (only.trials, again.trials, only.estimates["ttfb_p50"].value) == (0, 0, None)


def test_only_the_requests_of_the_window_count_for_a_percentile() -> None:
    (trial, *_) = run_of((WHOLE, [{"requests_per_second": 100.0}])).trials
    seen = replace(trial, outcomes={"verified": 300}, window_open_ns=0, window_close_ns=2_000_000_000)
    assert requests_inside(seen) == 200
    assert requests_inside(replace(seen, outcomes={"verified": 150})) == 150
    assert requests_inside(replace(seen, figures={})) == 300
