"""All that a report says of a run: from runs whose every figure is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.findings import GateState, find
from analysis.verdicts.judgement import Kind
from analysis.verdicts.trust import why_untrusted
from results.case import Case
from tests.analysis.examples import Invalid, run_of
from tests.analysis.exports.examples import BLOCKS, MIB, gate, known, measured
from tests.results.examples import STREAM, WHOLE

EQUAL = [measured(8e6)] * BLOCKS


def test_every_figure_has_its_value_ratio_and_verdict() -> None:
    stream = known().cases[2]
    assert stream.summary.label == "orders rows=500"
    ttfb = stream.figures["ttfb_p50"]
    assert ttfb.value == 2e6
    assert ttfb.ratio == pytest.approx(0.25)
    assert ttfb.verdict is not None
    assert ttfb.verdict.kind is Kind.BETTER
    assert ttfb.ratio_interval == pytest.approx((0.25, 0.25))
    memory = stream.figures["peak_memory"]
    assert memory.verdict is not None
    assert (memory.verdict.kind, memory.verdict.estimate) == (Kind.WORSE, 3 * MIB)
    assert memory.ratio_interval is None
    assert stream.figures["throughput"].told_apart
    assert not stream.figures["cpu_per_mb"].told_apart


def test_a_baseline_has_no_verdict_and_its_control_has() -> None:
    whole, control = known().cases[:2]
    assert all(item.verdict is None and item.q is None for item in whole.figures.values())
    assert control.summary.control
    verdict = control.figures["ttfb_p50"].verdict
    assert verdict is not None
    assert verdict.kind is Kind.SAME
    assert all(item.q is None for item in control.figures.values())


def test_how_much_sampling_missed_is_never_judged() -> None:
    assert known().cases[2].figures["peak_missed"].value == 4096
    assert known().cases[2].figures["peak_missed"].verdict is None


def test_what_a_gate_rests_on_is_not_screened() -> None:
    stream = known().cases[2]
    assert stream.figures["ttfb_p50"].gated
    assert stream.figures["ttfb_p50"].q is None
    assert not stream.figures["throughput"].gated
    assert stream.figures["throughput"].q is not None


def test_screening_corrects_over_all_that_is_not_gated() -> None:
    # one of twenty differs, in 8 blocks: 2 x 2^-8 alone would be significant, among sixty it is not
    cases = [Case({**STREAM.parameters, "rows": rows}, WHOLE.identity) for rows in range(20)]
    arms = [(case, EQUAL) for case in cases[:-1]]
    run = run_of((WHOLE, EQUAL), *arms, (cases[-1], [measured(16e6)] * BLOCKS))
    last = find(run).cases[-1].figures["ttfb_p50"]
    assert last.verdict is not None
    assert last.verdict.kind is Kind.WORSE
    assert last.q == pytest.approx(2 * 2**-8 * 20 * 4)
    assert not last.stands
    alone = find(run_of((WHOLE, EQUAL), (STREAM, [measured(16e6)] * BLOCKS))).cases[-1].figures["ttfb_p50"]
    assert alone.stands


def test_gates_have_their_results() -> None:
    holds, worse, left_out = known().gates
    assert (holds.state, worse.state, left_out.state) == (
        GateState.NOT_WORSE, GateState.WORSE, GateState.NOT_JUDGED,
    )  # fmt: skip
    assert worse.result is not None
    assert (worse.result.figure, worse.result.limit, worse.label) == (2e6, 1e6, "orders rows=500")
    assert left_out.name == "left: out"


def test_a_gate_that_cannot_be_judged_is_invalid_and_says_why() -> None:
    run = run_of((WHOLE, EQUAL), (STREAM, EQUAL[:4] + [Invalid(measured(8e6))] * 4))
    (found,) = find(run, [gate(STREAM, "0.5 of baseline")]).gates
    assert found.state is GateState.INVALID
    assert found.result is None
    assert "only 4 of 8 blocks" in (found.reason or "")


def test_a_run_that_is_not_complete_judges_no_gate() -> None:
    run = replace(run_of((WHOLE, EQUAL), (STREAM, EQUAL)), finished_utc=None)
    (found,) = find(run, [gate(STREAM, "0.5 of baseline")]).gates
    assert found.state is GateState.INVALID
    assert "16 of 6 trials are measured; go on with --resume" in (found.reason or "")  # a made-up plan


def test_failures_are_counted_by_outcome_reason_and_text() -> None:
    run = run_of((WHOLE, EQUAL), (STREAM, EQUAL[:6] + [Invalid(measured(1.0))] * 2))
    case = find(run).cases[-1]
    assert case.outcomes == {"verified": 76, "truncated": 4}
    assert case.reasons == {"2 of 10 responses failed": 2}
    assert case.errors == {"cut off": 4}
    assert case.untrusted == "2 of 8 trials failed: 2 of 10 responses failed"
    assert find(run).invalid == 2


def test_trials_that_the_machine_spoilt_are_borne_up_to_a_quarter() -> None:
    spoilt = Invalid(measured(8e6), failed=0)
    for count, trusted in ((2, True), (3, False)):
        trials = run_of((WHOLE, EQUAL[count:] + [spoilt] * count)).trials
        assert (why_untrusted(trials) is None) is trusted
    assert why_untrusted([]) is None


def test_an_unfit_machine_is_named() -> None:
    found = find(run_of((WHOLE, EQUAL), control=[measured(16e6)] * BLOCKS))
    assert [item.label for item in found.unfit] == ["orders whole (again)"]


def test_expected_failures_are_told_apart_from_cases() -> None:
    found = known()
    assert [(item.label, item.how) for item in found.expected_failures] == [("no context", "status 500")]
    assert "no context" not in [case.summary.label for case in found.cases]


def test_a_run_without_a_trial_has_findings_too() -> None:
    run = replace(run_of((WHOLE, EQUAL), (STREAM, EQUAL)), trials=[], verifications={}, finished_utc=None)
    found = find(run, [gate(STREAM, "1 ms")])
    assert found.trials == 0
    assert all(item.value is None for case in found.cases for item in case.figures.values())
    assert found.gates[0].state is GateState.INVALID
