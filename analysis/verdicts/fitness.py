"""Verdicts over a stored run: one case in one figure, and whether the machine was fit to measure at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.scope import headline_of
from analysis.summary import labels, memory_resolution_bytes, valid_by_block
from analysis.trial.calibration import error_of
from analysis.verdicts.arm import Arm, arm_of
from analysis.verdicts.gate import LEVEL, level_of
from analysis.verdicts.judgement import FEWEST_BLOCKS, Kind, Verdict, estimate_only, judge_pairs
from results.case import Case
from results.metrics import FIGURES, Figure, Margin
from results.run import Run


@dataclass(frozen=True, slots=True)
class Unfit:
    """A baseline that came out worse or better than itself. ``label`` is the control's name in the table."""

    label: str
    verdict: Verdict


def judge_case(
    run: Run,
    case: Case,
    name: str,
    *,
    control: bool = False,
    error: float | None = None,
    level: float = LEVEL,
) -> Verdict:
    """A case (or with ``control`` a baseline's second measurement) against its baseline in one figure.

    An estimate at most where a valid trial does not give the figure (those that do would flatter), and on a
    tail that rests on too few requests. ``error`` is the client's calibrated error in the figure's unit.
    """
    arm = arm_of(run, case, name, control=control)
    return judge_arm(FIGURES[name], arm, resolution=memory_resolution_bytes(run), error=error, level=level)


def judge_arm(
    figure: Figure,
    arm: Arm,
    *,
    resolution: float,
    error: float | None,
    level: float = LEVEL,
    margin: Margin | None = None,
) -> Verdict:
    """One arm's blocks against another's; the rest as in `judge_case` and `judge_pairs`."""
    if arm.missing:
        return estimate_only(figure, len(arm.pairs), arm.missing)
    if arm.weak:
        return estimate_only(figure, len(arm.pairs), arm.weak, judge_pairs(figure, arm.pairs).estimate)
    return judge_pairs(figure, arm.pairs, margin=margin, resolution=resolution, error=error, level=level)


def unfit(run: Run) -> Sequence[Unfit]:
    """The A/A controls that came out worse or better: two equal things that the machine told apart."""
    names = labels([case for case in run.header.cases if not case.expect_failure])
    verdicts = [
        Unfit(
            f"{names[case.identity]} (again)",
            judge_case(run, case, figure, control=True, error=error_of(run, FIGURES[figure], case)),
        )
        for case in run.header.cases
        if case.is_baseline
        for figure in headline_of(case)
    ]
    return [item for item in verdicts if item.verdict.kind in {Kind.WORSE, Kind.BETTER}]


def run_decided(run: Run) -> bool:
    """Whether more blocks would decide nothing more of the cases against their baselines."""
    level = level_of(run.header.terms)
    variants = [case for case in run.header.cases if case.baseline is not None]
    if any(len(_shared_blocks(run, case)) < FEWEST_BLOCKS for case in variants):
        return False
    return all(
        settled(judge_case(run, case, name, error=error_of(run, FIGURES[name], case), level=level))
        for case in variants
        for name in headline_of(case)
    )


def _shared_blocks(run: Run, case: Case) -> set[int]:
    """The blocks in which both the case and its baseline have a valid trial."""
    own, base = (valid_by_block(run, identity) for identity in (case.identity, case.baseline or ""))
    return own.keys() & base.keys()


def settled(verdict: Verdict) -> bool:
    """Whether more blocks would change nothing, given enough of them: decided, or never to be."""
    return verdict.kind is not Kind.UNDECIDED
