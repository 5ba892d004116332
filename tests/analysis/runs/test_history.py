"""Ratios over made-up runs: their order, their jumps, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from analysis.runs.history import Series, changed_between, history
from analysis.verdicts.judgement import Kind
from results.case import Case
from results.run import Run
from tests.analysis.examples import calibrated, run_of
from tests.results.examples import STREAM, WHOLE

FEW = Case({**STREAM.parameters, "rows": 1}, WHOLE.identity)
NOISE = [1.002, 0.994, 1.009, 1.0, 0.991, 1.005, 0.997, 1.003]


def times(milliseconds: float) -> list[dict[str, float | None]]:
    return [{"ttfb_p50": milliseconds * 1e6 * noise} for noise in NOISE]


def run(
    day: int, milliseconds: float, *more: tuple[Case, Sequence[Any]], committed: int | None = None
) -> Run:
    """Made on this day of a month; the stream's first byte after so long, the whole form's after 50 ms."""
    made = run_of((WHOLE, times(50)), (STREAM, times(milliseconds)[::-1]), *more)
    created, commit = (f"2031-01-{date or 0:02}T00:00:00+00:00" for date in (day, committed))
    git = {"commit": "a" * 40, "committed_utc": commit, "dirty": False}
    environment = {"suite_folder": None, "git": git if committed else None}
    return replace(made, header=replace(made.header, created_utc=created, environment=environment))


def jumps(series: Series) -> list[Kind | None]:
    return [point.since.kind if point and point.since else None for point in series.points]


def test_a_jump_is_marked_where_it_happens_and_not_after_it() -> None:
    found = history({"c": run(3, 2.6), "a": run(1, 2), "d": run(4, 2.6), "b": run(2, 2)}, ["ttfb_p50"])
    (series,) = found.series
    assert [entry.name for entry in found.entries] == ["a", "b", "c", "d"]
    assert jumps(series) == [None, Kind.SAME, Kind.WORSE, Kind.SAME]
    assert [point.before for point in series.points if point] == [None, "a", "b", "c"]
    ratios = [point.verdict.estimate for point in series.points if point]
    assert ratios == pytest.approx([0.04, 0.04, 0.052, 0.052], rel=0.01)
    assert series.drawn() == "▁▁██"


def test_the_order_is_that_of_the_commits_where_they_are_known() -> None:
    """Measured later, committed earlier: a bisection measures old commits last."""
    runs = {"old": run(9, 2, committed=1), "new": run(8, 2, committed=5), "unknown": run(3, 2)}
    assert [entry.name for entry in history(runs).entries] == ["old", "unknown", "new"]
    again = {"second": run(9, 2, committed=1), "first": run(8, 2, committed=1)}
    assert [entry.name for entry in history(again).entries] == ["first", "second"]


def test_a_run_without_the_case_or_the_figure_is_a_gap_that_a_jump_reaches_across() -> None:
    without = run_of((WHOLE, times(50)))
    without = replace(without, header=replace(without.header, created_utc="2031-01-02T00:00:00+00:00"))
    nothing = run(3, 2)
    nothing = replace(nothing, trials=[replace(trial, figures={}) for trial in nothing.trials])
    found = history({"1": run(1, 2), "2": without, "3": nothing, "4": run(4, 3)}, ["ttfb_p50"])
    (series,) = found.series
    assert jumps(series) == [None, None, None, Kind.WORSE]
    assert series.points[1] is None
    assert series.points[2] is not None
    assert series.points[2].verdict.estimate is None
    assert series.points[3] is not None
    assert series.points[3].before == "1"
    assert series.drawn() == "▁  █"


def test_cases_are_those_of_all_runs_that_have_a_baseline() -> None:
    found = history({"1": run(1, 2, (FEW, times(1))), "2": run(2, 2)}, ["ttfb_p50"])
    assert [series.label for series in found.series] == ["orders rows=500", "orders rows=1"]
    assert found.series[1].points[1] is None
    chosen = history({"1": run(1, 2, (FEW, times(1)))}, ["ttfb_p50"], chosen=lambda case: case == FEW)
    assert [series.label for series in chosen.series] == ["orders rows=1"]


def test_the_client_s_error_keeps_a_small_jump_undecided() -> None:
    for error_ns, kind in ((1e3, Kind.WORSE), (1e6, Kind.UNDECIDED)):
        runs = {
            str(day): replace(run(day, time), calibration=[calibrated(error_ns)])
            for day, time in ((1, 2), (2, 2.6))
        }
        assert jumps(history(runs, ["ttfb_p50"]).series[0])[1] is kind


def test_what_changed_between_two_runs_is_named() -> None:
    one = run(1, 2)
    other = replace(one, header=replace(one.header, suite_toml="new", environment={"kernel": "6"}))
    assert changed_between(one, one) == []
    assert changed_between(one, other) == ["kernel", "suite"]
