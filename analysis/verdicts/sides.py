"""An ab: one side of it as a run, and head against base, case by case and figure by figure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from analysis.scope import headline_of
from analysis.statistics.multiple import SCREENING_Q
from analysis.statistics.signed_rank import hodges_lehmann
from analysis.summary import memory_resolution_bytes
from analysis.trial.calibration import error_of
from analysis.verdicts.arm import arm_between
from analysis.verdicts.fitness import judge_arm, settled
from analysis.verdicts.gate import Pair, level_of
from analysis.verdicts.judgement import FEWEST_BLOCKS, Kind, Verdict
from analysis.verdicts.screening import corrected, p_beyond_margin
from results.case import Case
from results.metrics import FIGURES
from results.run import Run, TrialSummary
from results.sides import Side


@dataclass(frozen=True, slots=True)
class Judged:
    """Head against base in one figure of one case, and the pairs that the verdict rests on."""

    case: Case
    verdict: Verdict
    pairs: Sequence[Pair]


def side_of(run: Run, side: Side) -> Run:
    """One side of an ab as if it had been measured alone, without the blocks that confirm."""
    slots = [slot for slot in run.header.slots if slot.side is side and not slot.confirming]
    return replace(
        run,
        header=replace(run.header, slots=[replace(slot, side=None) for slot in slots], sides=()),
        verifications=run.verifications if side is Side.HEAD else run.base_verifications,
        base_verifications={},
        trials=[
            replace(trial, slot=replace(trial.slot, side=None))
            for trial in run.trials
            if trial.slot.side is side and not trial.slot.confirming
        ],
    )


def trials_of(run: Run, case: Case, side: Side, *, confirming: bool = False) -> Mapping[int, TrialSummary]:
    """The valid trials of a case on one side by block, of the first set or of the one that confirms."""
    return {
        trial.slot.block: trial
        for trial in run.trials
        if trial.slot.case == case.identity
        and trial.slot.side is side
        and trial.slot.confirming is confirming
        and not trial.slot.control
        and trial.reason is None
    }


def judge_sides(run: Run) -> list[Judged]:
    """Head against base in the headline figures and those that are gated, over the first set of blocks.

    By the figure's own margin, or by its gate's.
    """
    level, resolution = level_of(run.header.terms), memory_resolution_bytes(run)
    margins = {(gate.case.identity, gate.metric): gate.margin for gate in run.header.margin_gates}
    judged = []
    for case in run.header.cases:
        if case.expect_failure:
            continue
        head, base = (trials_of(run, case, side) for side in (Side.HEAD, Side.BASE))
        gated = [metric for identity, metric in margins if identity == case.identity]
        for name in dict.fromkeys([*headline_of(case), *gated]):
            figure, margin = FIGURES[name], margins.get((case.identity, name))
            error = error_of(run, figure, case)
            arm = arm_between(head, base, name, case)
            verdict = judge_arm(figure, arm, resolution=resolution, error=error, level=level, margin=margin)
            judged.append(Judged(case, verdict, arm.pairs))
    return judged


def ratios_by_block(run: Run, case: Case, name: str) -> Mapping[int, float]:
    """Head over base in a figure, by block, where both are above 0."""
    head, base = (trials_of(run, case, side) for side in (Side.HEAD, Side.BASE))
    found: dict[int, float] = {}
    for block in sorted(head.keys() & base.keys()):
        own, before = head[block].figures.get(name), base[block].figures.get(name)
        if own is not None and before is not None and own > 0 and before > 0:
            found[block] = own / before
    return found


def ratio_so_far(run: Run, case: Case, name: str) -> float | None:
    """Head over base in a figure by the blocks so far; null before there are any."""
    logs = [math.log(ratio) for ratio in ratios_by_block(run, case, name).values()]
    return math.exp(hodges_lehmann(logs)) if logs else None


def screened(judged: Sequence[Judged]) -> list[Judged]:
    """The same, where worse and better stand only if they do so among as many verdicts as were looked at.

    By Benjamini and Hochberg's correction, q = 0.10, over the signed-rank tests of the differences against
    the margin that each lies beyond. What does not stand is undecided.
    """
    told = {Kind.WORSE, Kind.BETTER}
    raw = {
        index: p_beyond_margin(item.verdict.figure, item.pairs) if item.verdict.kind in told else 1.0
        for index, item in enumerate(judged)
    }
    by_index = corrected(raw)
    return [
        item
        if item.verdict.kind not in told or by_index[index] <= SCREENING_Q
        else replace(
            item,
            verdict=replace(
                item.verdict,
                kind=Kind.UNDECIDED,
                reason=f"{item.verdict.kind} by itself, but not among {len(judged)} that were looked at "
                f"(p = {by_index[index]:.2g}, Benjamini-Hochberg); name it in a gate to test it alone",
            ),
        )
        for index, item in enumerate(judged)
    ]


def sides_decided(run: Run) -> bool:
    """Whether more blocks would decide nothing more of head against base."""
    for case in run.header.cases:
        head, base = (trials_of(run, case, side) for side in (Side.HEAD, Side.BASE))
        if not case.expect_failure and len(head.keys() & base.keys()) < FEWEST_BLOCKS:
            return False
    return all(settled(item.verdict) for item in judge_sides(run))


def differing(run: Run) -> list[str]:
    """The cases whose bodies are not the same on both sides, with what verify saw, a phrase each."""
    return [
        f"{identity}: {base.body_bytes:,} bytes on base, {head.body_bytes:,} on head"
        for identity, head in run.verifications.items()
        if (base := run.base_verifications.get(identity)) is not None and base.digest != head.digest
    ]
