"""When a run with invalid trials may still be relied on."""

from __future__ import annotations

from harness.cli.outcome import trustworthy
from tests.analysis.examples import Invalid, run_of
from tests.results.examples import STREAM, WHOLE

GOOD = {"ttfb_p50": 1e6}


def test_a_trial_that_the_machine_spoilt_is_borne() -> None:
    run = run_of((WHOLE, [GOOD] * 8), (STREAM, [GOOD] * 6 + [Invalid(GOOD, failed=0)] * 2))
    assert trustworthy(run.trials)


def test_a_case_that_lost_too_many_is_not() -> None:
    run = run_of((WHOLE, [GOOD] * 8), (STREAM, [GOOD] * 5 + [Invalid(GOOD, failed=0)] * 3))
    assert not trustworthy(run.trials)


def test_one_failed_response_is_not_borne() -> None:
    run = run_of((WHOLE, [GOOD] * 8), (STREAM, [GOOD] * 7 + [Invalid(GOOD, failed=1)]))
    assert not trustworthy(run.trials)
