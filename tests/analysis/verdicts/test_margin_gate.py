"""Gates with a margin where the truth is known: when they fail, when they hold, and what must confirm it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.statistics.looks import LOOK_LEVEL, LOOKS, overall_level
from analysis.verdicts.gate import LEVEL, check_first_look, level_of
from analysis.verdicts.margin_gate import judge_margins, margins_decided, outcomes, parse_margin
from results.calibration import Answers, CalibrationPoint
from results.errors import MeasurementError
from results.metrics import FIGURES, Margin
from results.run import Run
from results.sides import Side
from results.terms import Stopping, Terms
from tests.analysis.sides import S, W, ab_of, alternating, blocks, gate
from tests.results.examples import STREAM


def run_at(ratio: float, count: int = 8, again: float | None = None, metric: str = "ttfb_p50") -> Run:
    confirming = None
    if again is not None:
        confirming = {
            Side.BASE: {W: blocks(1, count, metric)},
            Side.HEAD: {W: blocks(again, count, metric)},
        }
    return ab_of(
        {W: blocks(1, count, metric)},
        {W: blocks(ratio, count, metric)},
        confirming=confirming,
        gates=[gate(metric)],
    )


@pytest.mark.parametrize(
    ("ratio", "failed", "holds"),
    [(1.2, True, False), (1.06, True, False), (1.04, False, True), (0.5, False, True)],
)
def test_head_is_held_to_base_and_its_margin(ratio: float, *, failed: bool, holds: bool) -> None:
    (result,) = judge_margins(run_at(ratio), [gate()])
    assert (result.failed, result.holds) == (failed, holds)
    assert result.blocks == 8
    assert result.p == (2**-8 if failed else pytest.approx(1, abs=0.01))


@pytest.mark.parametrize(("ratio", "failed"), [(0.9, True), (1.1, False)])
def test_a_throughput_is_worse_when_it_is_smaller(ratio: float, *, failed: bool) -> None:
    (result,) = judge_margins(run_at(ratio, metric="throughput"), [gate("throughput")])
    assert result.failed is failed


@pytest.mark.parametrize(("growth", "failed"), [(0.5, False), (1.5, True)])
def test_memory_is_compared_by_difference_and_never_by_less_than_a_mib(
    growth: float, *, failed: bool
) -> None:
    mib = 2**20
    base = [{"peak_memory": 2.0 * mib}] * 8
    head = [{"peak_memory": (2.0 + growth) * mib}] * 8
    (result,) = judge_margins(ab_of({W: base}, {W: head}), [gate("peak_memory", 0.03)])
    assert result.failed is failed
    assert result.limit == "+1 MiB"


def test_a_second_gate_takes_some_of_the_level() -> None:
    arms = [{W: blocks(ratio, 5), S: blocks(1, 5)} for ratio in (1, 2)]
    alone = ab_of(*arms, gates=[gate()])
    assert judge_margins(alone, [gate()])[0].failed
    with pytest.raises(MeasurementError, match="2 gates could never fail with 5 blocks"):
        judge_margins(alone, [gate(), gate(case=STREAM)])


def test_a_worse_that_comes_again_fails() -> None:
    (found,) = outcomes(run_at(1.5, again=1.5))
    assert found.worse
    assert found.second is not None
    assert found.second.blocks == 8


def test_a_worse_that_does_not_come_again_does_not_fail() -> None:
    (found,) = outcomes(run_at(1.5, again=1.0))
    assert found.first.failed
    assert found.second is not None
    assert not found.second.failed
    assert not found.worse


def test_a_worse_that_nobody_confirmed_does_not_fail() -> None:
    (found,) = outcomes(run_at(1.5))
    assert (found.first.failed, found.second, found.worse) == (True, None, False)


def test_only_what_failed_has_to_be_confirmed() -> None:
    again = {side: {W: blocks(ratio, 8)} for side, ratio in ((Side.BASE, 1), (Side.HEAD, 1.5))}
    run = ab_of(
        {W: blocks(1, 8), S: blocks(1, 8)},
        {W: blocks(1.5, 8), S: blocks(1, 8)},
        confirming=again,
        gates=[gate(), gate(case=STREAM)],
    )
    worse, fine = outcomes(run)
    assert worse.worse
    assert (fine.worse, fine.second) == (False, None)
    assert worse.second is not None
    assert worse.second.p == 2**-8  # a family of one


def calibrated(error_ns: float) -> CalibrationPoint:
    return CalibrationPoint(
        1, Answers.ONCE, 100, True, error_ns, error_ns, error_ns, error_ns, 0, 0, None, None, 0.1
    )  # fmt: skip


def test_no_gate_fails_within_the_client_s_error() -> None:
    run = run_at(1.5)  # 5 ms and more apart
    assert judge_margins(replace(run, calibration=[calibrated(1e6)]), [gate()])[0].failed
    (unseen,) = judge_margins(replace(run, calibration=[calibrated(1e8)]), [gate()])
    assert (unseen.failed, unseen.within_error_ns) == (False, 1e8)


def test_a_figure_that_is_not_there_is_loud() -> None:
    lacking = [*blocks(1.5, 7), {"ttfb_p50": None}]
    run = ab_of({W: blocks(1, 8)}, {W: lacking})
    with pytest.raises(MeasurementError, match="1 of 16 valid trials do not give ttfb_p50"):
        judge_margins(run, [gate()])
    with pytest.raises(MeasurementError, match="no block has a valid trial of it on both sides"):
        judge_margins(run, [gate(case=STREAM)])
    short = ab_of({W: blocks(1, 8, "ttfb_p95")}, {W: blocks(9, 8, "ttfb_p95")}, verified=499)
    with pytest.raises(MeasurementError, match="needs 500 requests"):
        judge_margins(short, [gate("ttfb_p95")])


def test_a_value_of_0_has_no_ratio() -> None:
    run = ab_of({W: [{"throughput": 1e6}] * 8}, {W: [{"throughput": 0.0}] * 8})
    with pytest.raises(MeasurementError, match="a value of 0 has no ratio"):
        judge_margins(run, [gate("throughput")])


@pytest.mark.parametrize(("ratio", "decided"), [(1.5, True), (1.0, True), (1.05, False)])
def test_gates_are_decided_when_they_fail_or_are_shown_to_hold(ratio: float, *, decided: bool) -> None:
    terms = Terms(Stopping.DECIDED)
    run = ab_of({W: blocks(1, 7)}, {W: alternating(ratio, 7)}, gates=[gate()], terms=terms)
    assert margins_decided(run) is decided


def test_the_level_of_the_looks_holds_for_a_gate_s_one_side_too() -> None:
    assert level_of(Terms()) == LEVEL
    assert level_of(Terms(Stopping.DECIDED)) == LOOK_LEVEL
    # one-sided at this level at each look is two-sided at twice of it
    assert overall_level(LOOKS, 2 * LOOK_LEVEL) / 2 <= LEVEL


@pytest.mark.parametrize(("gates", "needed"), [(3, 8), (5, 9)])
def test_a_family_that_could_not_fail_at_its_first_look_is_refused_with_what_it_needs(
    gates: int, needed: int
) -> None:
    with pytest.raises(ValueError, match=f"They need {needed} blocks there"):
        check_first_look(gates, LOOKS[0], LOOK_LEVEL)
    check_first_look(gates, needed, LOOK_LEVEL)
    check_first_look(2, LOOKS[0], LOOK_LEVEL)


@pytest.mark.parametrize(("given", "share"), [("3%", 0.03), (" 12.5 % ", 0.125), ("0%", 0)])
def test_a_margin_is_a_percentage_of_base(given: str, share: float) -> None:
    assert parse_margin(given, FIGURES["ttfb_p50"]) == Margin(share)
    assert parse_margin(given, FIGURES["peak_memory"]) == Margin(share, 2**20)


@pytest.mark.parametrize("given", ["", "3", "-3%", "three%", "1e9%", "nan%", "3 %%", "9999%"])
def test_what_is_no_margin_is_told_with_what_is_allowed(given: str) -> None:
    with pytest.raises(ValueError, match='write a percentage of base, like "3%"'):
        parse_margin(given, FIGURES["ttfb_p50"])
