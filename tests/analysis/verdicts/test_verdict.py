"""Gates over a stored run: only valid pairs of trials speak, and too few of them are loud."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.verdicts.gate import parse_limit
from analysis.verdicts.verdict import GatedCase, judge_gates
from harness.cli.outcome import show_outcome
from results.errors import ExitCode, MeasurementError
from results.metrics import FIGURES
from tests.analysis.examples import Invalid, calibrated, run_of
from tests.results.examples import STREAM, WHOLE

FAST, SLOW = {"ttfb_p50": 1e6}, {"ttfb_p50": 9e6}


def gated(text: str, metric: str = "ttfb_p50") -> GatedCase:
    return GatedCase(
        f"rows=500: {metric} at most {text}", STREAM, parse_limit(text, FIGURES[metric], upper=True)
    )


@pytest.mark.parametrize("limit", ["0.5 of baseline", "2 ms"])
def test_a_gate_fails_when_the_blocks_say_so(limit: str) -> None:
    (bad,) = judge_gates(run_of((WHOLE, [FAST] * 5), (STREAM, [SLOW] * 5)), [gated(limit)])
    assert bad.failed
    assert bad.p == 2**-5
    assert bad.name == f"rows=500: ttfb_p50 at most {limit}"
    (good,) = judge_gates(run_of((WHOLE, [SLOW] * 5), (STREAM, [FAST] * 5)), [gated(limit)])
    assert not good.failed


def test_invalid_trials_are_left_out_on_both_sides() -> None:
    # five blocks are good; in the others one side is invalid, and would turn the verdict round
    ours = [FAST] * 5 + [Invalid(SLOW)] * 10 + [SLOW] * 10
    base = [SLOW] * 5 + [FAST] * 10 + [Invalid(FAST)] * 10
    (result,) = judge_gates(run_of((WHOLE, base), (STREAM, ours)), [gated("0.5 of baseline")])
    assert not result.failed
    assert result.p == 1


def test_an_amount_asks_nothing_of_the_baseline() -> None:
    run = run_of((WHOLE, [Invalid(FAST)] * 5), (STREAM, [SLOW] * 5))
    assert judge_gates(run, [gated("2 ms")])[0].failed


def test_the_control_is_not_taken_for_the_baseline() -> None:
    run = run_of((WHOLE, [SLOW] * 5), (STREAM, [FAST] * 5), control=[{"ttfb_p50": 1.0}] * 5)
    assert not judge_gates(run, [gated("0.5 of baseline")])[0].failed


@pytest.mark.parametrize("limit", ["0.5 of baseline", "2 ms"])
def test_too_few_valid_blocks_are_an_error_and_no_pass(limit: str) -> None:
    run = run_of((WHOLE, [SLOW] * 8), (STREAM, [FAST] * 4 + [Invalid(SLOW)] * 4))
    with pytest.raises(MeasurementError) as told:
        judge_gates(run, [gated(limit)])
    message = str(told.value)
    assert f"rows=500: ttfb_p50 at most {limit}" in message
    assert "only 4 of 8 blocks" in message
    assert "at least 5 blocks" in message
    assert told.value.exit_code is ExitCode.INVALID


def test_a_case_that_was_never_measured_is_an_error() -> None:
    with pytest.raises(MeasurementError, match="only 0 of 8 blocks"):
        judge_gates(run_of((WHOLE, [FAST] * 8)), [gated("2 ms")])


@pytest.mark.parametrize("without", [{"ttfb_p95": None}, {}])
@pytest.mark.parametrize("number", [1, 8])
def test_a_p95_that_a_trial_could_not_give_is_no_pass_by_the_fast_ones(
    without: dict[str, None], number: int
) -> None:
    full = {"ttfb_p95": 1.0}
    some = [full] * (8 - number) + [without] * number
    expected = (
        rf"{number} of 8 valid trials do not give ttfb_p95 \(a gate on it needs 500 requests .*window longer"
    )
    with pytest.raises(MeasurementError, match=expected):
        judge_gates(run_of((WHOLE, [full] * 8), (STREAM, some), verified=500), [gated("2 ms", "ttfb_p95")])
    with pytest.raises(MeasurementError, match=f"{number} of 16 valid trials"):
        judge_gates(
            run_of((WHOLE, some), (STREAM, [full] * 8), verified=500), [gated("2 of baseline", "ttfb_p95")]
        )


def test_a_gate_on_a_p95_needs_500_requests_a_trial() -> None:
    arms = ((WHOLE, [{"ttfb_p95": 1.0}] * 8), (STREAM, [{"ttfb_p95": 1e9}] * 8))
    with pytest.raises(MeasurementError, match="8 of 8 valid trials do not give ttfb_p95"):
        judge_gates(run_of(*arms, verified=499), [gated("2 ms", "ttfb_p95")])
    assert judge_gates(run_of(*arms, verified=500), [gated("2 ms", "ttfb_p95")])[0].failed


def test_an_invalid_trial_needs_no_figure() -> None:
    run = run_of((WHOLE, [FAST] * 6), (STREAM, [FAST] * 5 + [Invalid({})]))
    assert not judge_gates(run, [gated("2 of baseline")])[0].failed


def test_enough_for_one_gate_may_be_too_few_for_two() -> None:
    run = run_of((WHOLE, [FAST] * 5), (STREAM, [SLOW] * 5))
    assert len(judge_gates(run, [gated("2 ms")])) == 1
    with pytest.raises(MeasurementError, match=r"2 gates could never fail with 5 blocks.*at least 6"):
        judge_gates(run, [gated("2 ms"), gated("0.5 of baseline")])


def test_without_gates_there_is_nothing_to_judge() -> None:
    assert judge_gates(run_of((WHOLE, [FAST])), []) == []


@pytest.mark.parametrize(
    ("limit", "beyond_ns"), [("8 ms", 1e6), ("8 of baseline", 1e6), ("9 of baseline", 0)]
)
def test_a_gate_fails_only_beyond_the_client_s_error(limit: str, beyond_ns: float) -> None:
    run = run_of((WHOLE, [FAST] * 5), (STREAM, [SLOW] * 5))
    (bare,) = judge_gates(run, [gated(limit)])
    assert bare.failed is (beyond_ns > 0)
    (seen,) = judge_gates(replace(run, calibration=[calibrated(0.99e6)]), [gated(limit)])
    assert seen == bare
    (unseen,) = judge_gates(replace(run, calibration=[calibrated(1e6)]), [gated(limit)])
    assert not unseen.failed
    assert unseen.within_error_ns == (1e6 if beyond_ns else None)
    assert unseen.p == bare.p


def test_what_one_block_is_beyond_the_limit_is_not_enough() -> None:
    blocks = [{"ttfb_p50": 8e6 + beyond} for beyond in (1.0, 2.0, 3.0, 4.0, 5e6)]
    run = replace(run_of((STREAM, blocks)), calibration=[calibrated(4.0)])
    assert judge_gates(run, [gated("8 ms")])[0].within_error_ns == 4.0


def test_memory_is_no_matter_of_the_client_s_error() -> None:
    run = run_of((STREAM, [{"peak_memory": 3.0}] * 5))
    assert judge_gates(replace(run, calibration=[calibrated(1e9)]), [gated("2 B", "peak_memory")])[0].failed


def test_the_outcome_says_that_the_client_s_error_was_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    run = run_of((WHOLE, [FAST] * 5), (STREAM, [SLOW] * 5))
    assert show_outcome(run, [gated("8 ms")], [], Path("run.sqlite")) is ExitCode.WORSE
    assert "ttfb_p50 at most 8 ms: WORSE: 9 ms" in capsys.readouterr().out
    spared = replace(run, calibration=[calibrated(2e6)])
    assert show_outcome(spared, [gated("8 ms")], [], Path("run.sqlite")) is ExitCode.GOOD
    assert (
        "ttfb_p50 at most 8 ms: not worse, within the client's error of 2 ms: 9 ms" in capsys.readouterr().out
    )
