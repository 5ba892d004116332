"""One case in one figure over a run's blocks, and what stands in the way of a verdict on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from analysis.scope import is_patience, why_without
from analysis.summary import others_inside, requests_inside, valid_by_block
from analysis.verdicts.gate import Pair
from results.case import Case
from results.metrics import FIGURES
from results.run import Run, TrialSummary


@dataclass(frozen=True, slots=True)
class Arm:
    """The case's figure beside its baseline's, a pair for each block in which both are valid.

    ``levels`` are what memory's margin is a share of: the baseline's figures, or of a case alone its own.
    ``missing`` says why the figure is not there, ``weak`` why it is and bears no verdict; null where not so.
    """

    pairs: Sequence[Pair]
    levels: Sequence[float]
    missing: str | None
    weak: str | None


def arm_of(run: Run, case: Case, name: str, *, control: bool = False) -> Arm:
    """A case (or with ``control`` a baseline's second measurement) against its baseline.

    A figure that one valid trial does not give is missing: those that do would flatter.
    """
    own = valid_by_block(run, case.identity, control=control)
    return arm_between(own, valid_by_block(run, case.baseline or case.identity), name, case)


def arm_between(
    own: Mapping[int, TrialSummary], base: Mapping[int, TrialSummary], name: str, case: Case
) -> Arm:
    """One arm's valid trials by block against another's, both of this case or of it and its baseline."""
    both = [(own[block].figures.get(name), base[block].figures.get(name)) for block in own if block in base]
    pairs = [Pair(value, other) for value, other in both if value is not None and other is not None]
    arm = _arm(pairs, [pair.baseline for pair in pairs], [*own.values(), *base.values()], name)
    if arm.missing is not None and (why := why_without(FIGURES[name], case)):
        return replace(arm, missing=why.partition(";")[0])
    if arm.missing is None and (bounded := _given_up_on_both_sides(pairs, name, case)):
        weak = (
            f"in {bounded} of {len(pairs)} blocks the small requests that {name} rests on were given up on "
            "both sides: which of them would have waited longer nobody knows; give them more patience"
        )
        return replace(arm, weak=weak)
    return arm


def _given_up_on_both_sides(pairs: Sequence[Pair], name: str, case: Case) -> int:
    """In how many blocks both figures are no waits, but the patience that ended them."""
    return sum(is_patience(name, min(pair.figure, pair.baseline), case) for pair in pairs)


def absolute_arm(run: Run, case: Case, name: str) -> Arm:
    """A case alone, for what has no baseline: the figure beside a baseline of 1, or for memory of 0."""
    neutral = 0.0 if FIGURES[name].by_difference else 1.0
    trials = [*valid_by_block(run, case.identity).values()]
    values = [value for trial in trials if (value := trial.figures.get(name)) is not None]
    return _arm([Pair(value, neutral) for value in values], values, trials, name)


def _arm(pairs: Sequence[Pair], levels: Sequence[float], trials: Sequence[TrialSummary], name: str) -> Arm:
    without = sum(trial.figures.get(name) is None for trial in trials)
    fewest = FIGURES[name].fewest_gated
    counted = others_inside if FIGURES[name].needs_others else requests_inside
    missing = weak = None
    if without:
        missing = f"{without} of {len(trials)} valid trials do not give {name}"
    elif not pairs:
        missing = "no block has a valid trial on both sides"
    elif any(counted(trial) < fewest for trial in trials):
        weak = f"a verdict on {name} needs {fewest} requests in each trial"
    return Arm(pairs, levels, missing, weak)
