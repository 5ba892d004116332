"""When a run may be relied on, and what it says when not."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.verdicts.trust import trustworthy
from harness.cli.outcome import show_outcome
from results.errors import ExitCode
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


def test_a_machine_that_told_a_thing_from_itself_is_unfit_and_the_exit_code_stays(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = run_of((WHOLE, [GOOD] * 8), control=[{"ttfb_p50": 2e6}] * 8)
    assert show_outcome(run, [], [], Path("there.sqlite")) is ExitCode.GOOD
    told = capsys.readouterr()
    assert (
        "unfit: orders whole (again): ttfb_p50 came out worse: "
        "the 95% interval, ×2 to ×2, lies beyond ×1.05" in told.err
    )
    assert "measure again" in told.err
    assert "there.sqlite" in told.out


def test_a_fit_machine_is_told_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    run = run_of((WHOLE, [GOOD] * 8), control=[GOOD] * 8)
    show_outcome(run, [], [], Path("there.sqlite"))
    assert capsys.readouterr().err == ""
