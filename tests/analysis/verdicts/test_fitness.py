"""Verdicts over a stored run, and a machine that tells two equal things apart."""

from __future__ import annotations

import pytest

from analysis.verdicts.fitness import judge_case, unfit
from analysis.verdicts.judgement import Kind
from tests.analysis.examples import Invalid, run_of
from tests.results.examples import STREAM, WHOLE

MIB = 2**20


def trial(ttfb: float, rate: float = 5e6, memory: float = 2 * MIB) -> dict[str, float | None]:
    return {
        "ttfb_p50": ttfb,
        "ttfb_p95": ttfb,
        "throughput": rate,
        "peak_memory": memory,
        "cpu_per_mb": 3e7,
    }


EQUAL = [trial(1e6)] * 8


def test_equal_controls_are_fit() -> None:
    assert unfit(run_of((WHOLE, EQUAL), (STREAM, [trial(9e9)] * 8), control=EQUAL)) == []


@pytest.mark.parametrize(
    ("measured", "figure", "kind"),
    [
        (trial(1.2e6), "ttfb_p50", Kind.WORSE),
        (trial(0.8e6), "ttfb_p50", Kind.BETTER),
        (trial(1e6, rate=4e6), "throughput", Kind.WORSE),
        (trial(1e6, memory=5 * MIB), "peak_memory", Kind.WORSE),
    ],
)
def test_a_control_that_differs_makes_the_machine_unfit(
    measured: dict[str, float | None], figure: str, kind: Kind
) -> None:
    (found,) = unfit(run_of((WHOLE, EQUAL), control=[measured] * 8))
    assert found.label == "orders whole (again)"
    assert (found.verdict.figure.name, found.verdict.kind) == (figure, kind)


def test_a_few_blocks_make_no_machine_unfit() -> None:
    assert unfit(run_of((WHOLE, EQUAL[:4]), control=[trial(9e6)] * 4)) == []


def test_invalid_trials_do_not_speak() -> None:
    control = [trial(1e6)] * 5 + [Invalid(trial(9e9))] * 3
    assert unfit(run_of((WHOLE, EQUAL), control=control)) == []
    verdict = judge_case(run_of((WHOLE, EQUAL), control=control), WHOLE, "ttfb_p50", control=True)
    assert (verdict.blocks, verdict.provisional) == (5, True)


def test_a_case_is_judged_against_its_baseline() -> None:
    run = run_of((WHOLE, EQUAL), (STREAM, [trial(0.5e6, rate=4e6)] * 8))
    assert judge_case(run, STREAM, "ttfb_p50").kind is Kind.BETTER
    assert judge_case(run, STREAM, "ttfb_p50").estimate == pytest.approx(0.5)
    assert judge_case(run, STREAM, "throughput").kind is Kind.WORSE
    assert judge_case(run, STREAM, "cpu_per_mb").kind is Kind.SAME
    assert judge_case(run, STREAM, "ttfb_p50", error=0.6e6).kind is Kind.UNDECIDED


def test_memory_s_interval_is_as_wide_as_the_kernel_s_resolution() -> None:
    verdict = judge_case(run_of((WHOLE, EQUAL), (STREAM, EQUAL)), STREAM, "peak_memory")
    assert verdict.low is not None
    assert verdict.high is not None
    assert verdict.high - verdict.low == 32 * 4096  # one CPU


@pytest.mark.parametrize("lacking", [{"ttfb_p50": None}, {}])
def test_what_one_trial_cannot_give_has_no_verdict(lacking: dict[str, float | None]) -> None:
    verdict = judge_case(run_of((WHOLE, EQUAL), (STREAM, [*EQUAL[:7], lacking])), STREAM, "ttfb_p50")
    assert (verdict.kind, verdict.estimate) == (Kind.ESTIMATE_ONLY, None)
    assert "1 of 16 valid trials do not give ttfb_p50" in verdict.reason


def test_a_tail_of_few_requests_is_an_estimate() -> None:
    arms = ((WHOLE, EQUAL), (STREAM, [trial(3e6)] * 8))
    few = judge_case(run_of(*arms, verified=499), STREAM, "ttfb_p95")
    assert few.kind is Kind.ESTIMATE_ONLY
    assert few.estimate == pytest.approx(3)
    assert "needs 500 requests" in few.reason
    assert judge_case(run_of(*arms, verified=500), STREAM, "ttfb_p95").kind is Kind.WORSE
