"""How many blocks: a fixed number, until all is decided, or what fits into a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from analysis.statistics import paired_t
from analysis.statistics.looks import LOOKS
from analysis.table import times
from analysis.verdicts.judgement import CONFIDENCE, FEWEST_BLOCKS, POWER
from harness.suites.plan import Plan
from results.errors import UsageError
from results.metrics import FIGURES
from results.run import Run, TrialSummary, measured_again, standing
from results.terms import Stopping, Terms

_NOISES = (0.03, 0.06, 0.12)
_MOST_BLOCKS = 1000


def first_blocks(terms: Terms, fixed: int) -> int:
    """How many blocks are planned at first; ``fixed`` is the number of a run that ends after so many."""
    match terms.stopping:
        case Stopping.BLOCKS:
            return fixed
        case Stopping.DECIDED:
            return LOOKS[0]
        case Stopping.BUDGET:
            return 1


def wanted_blocks(run: Run, plan: Plan, decided: Callable[[], bool], fewest: int) -> tuple[int, str]:
    """How many blocks the run wants now that all that was planned is measured, and why, in words.

    ``fewest`` is how many its gates need. A budget is reckoned with once, after the first block.
    """
    blocks, terms = run.header.blocks, run.header.terms
    if terms.stopping is Stopping.DECIDED and blocks < LOOKS[-1] and not decided():
        return next(look for look in LOOKS if look > blocks), f"not all is decided after {blocks} blocks"
    if terms.stopping is Stopping.BUDGET and blocks == 1:
        assert terms.budget_s is not None  # noqa: S101  - a budget has one
        block_s = first_block_s(run)
        lost_s = _took_s(measured_again(run.trials))
        fit = blocks_that_fit(terms.budget_s - plan.tracing_s - lost_s, block_s)
        wanted = max(fit, fewest, 1)
        why = f"a block took {block_s:.1f} s: {duration(terms.budget_s)} are {counted(max(fit, 1))}"
        if wanted > max(fit, 1):
            why += f", and the gates need {fewest}: the budget is exceeded"
        return wanted, f"{why}. {what_can_be_seen(wanted)}"
    return blocks, ""


def first_block_s(run: Run) -> float:
    """How long (s) the trials of the first block took, without pauses between them.

    Those that were measured once more are not counted in: the next block need not have any.
    """
    return _took_s(trial for trial in standing(run.trials) if trial.slot.block == 0)


def _took_s(trials: Iterable[TrialSummary]) -> float:
    return sum((trial.finished_ns - trial.started_ns) / 1e9 for trial in trials)


def blocks_that_fit(budget_s: float, block_s: float) -> int:
    """So many blocks of this length (s) fit into a budget (s)."""
    return min(_MOST_BLOCKS, max(0, int(budget_s / block_s)))


def check_budget(budget_s: float, plan: Plan, fewest: int) -> int:
    """How many blocks of a one-block plan will fit, as far as can be told before one was measured.

    Raises UsageError when that is none, or fewer than the gates need, with the time that these take.
    """
    block_s = plan.expected_s / plan.blocks
    fit = blocks_that_fit(budget_s - plan.tracing_s, block_s)
    if fit < max(fewest, 1):
        needed = max(fewest, 1)
        why = "to measure anything" if fewest <= 1 else "for its gates to be able to fail"
        enough = duration(math.ceil(needed * block_s + plan.tracing_s))
        raise UsageError(
            f"a budget of {duration(budget_s)} is {counted(fit)} of about {block_s:.0f} s, and {needed} "
            f"{'is' if needed == 1 else 'are'} needed {why}; give it {enough}, or "
            "measure fewer cases (--only) or shorter windows"
        )
    return fit


def what_can_be_seen(blocks: int) -> str:
    """What so many blocks can see, as far as their number alone tells: the rest is the machine's noise."""
    if blocks < FEWEST_BLOCKS:
        return f"A verdict needs {FEWEST_BLOCKS} blocks: these give estimates only"
    shown = ", ".join(f"{times(smallest_change(blocks, noise))} at {noise:.0%}" for noise in _NOISES)
    return (
        "What change of a median they can see depends on the noise of a trial, which is not known before: "
        f"{shown} (normal noise, {POWER:.0%} of the times)"
    )


def smallest_change(blocks: int, noise: float) -> float:
    """The ratio that so many blocks call worse with `POWER`, where a trial's logarithm has this sigma.

    As `analysis.verdicts.judgement` reckons what a run could have seen, with the interval's half width in
    place of a measured one: t(0.975) standard errors of a difference of two trials.
    """
    error = noise * math.sqrt(2 / blocks)
    reach = paired_t.quantile((1 + CONFIDENCE) / 2, blocks - 1) + paired_t.quantile(POWER, blocks - 1)
    return (1 + FIGURES["ttfb_p50"].margin.share) * math.exp(error * reach)


def duration(seconds: float) -> str:
    """A time as people say it: 45 s, 5 minutes, 1:30 minutes."""
    if seconds < 60:
        return f"{seconds:g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} minutes" if rest else f"{minutes} minute{'s' if minutes > 1 else ''}"


def counted(blocks: int) -> str:
    """So many blocks, in words."""
    return f"{blocks} block{'' if blocks == 1 else 's'}"
