"""An ab: one side of it as a run, and head against base, case by case and figure by figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from analysis.calibration import error_of
from analysis.fitness import HEADLINE, judge_trials, pairs_of, settled
from analysis.gate import Pair
from analysis.judgement import FEWEST_BLOCKS, Kind, Verdict
from analysis.looks import level_of
from analysis.multiple import SCREENING_Q, benjamini_hochberg
from analysis.scale import Scale
from analysis.signed_rank import p_greater
from analysis.summary import memory_resolution_bytes
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
        for name in dict.fromkeys([*HEADLINE, *gated]):
            figure, margin = FIGURES[name], margins.get((case.identity, name))
            error = error_of(run.calibration, figure, case)
            verdict = judge_trials(
                figure, head, base, resolution=resolution, error=error, level=level, margin=margin
            )
            judged.append(Judged(case, verdict, pairs_of(head, base, name)))
    return judged


def screened(judged: Sequence[Judged]) -> list[Judged]:
    """The same, where worse and better stand only if they do so among as many verdicts as were looked at.

    By Benjamini and Hochberg's correction, q = 0.10, over the signed-rank tests of the differences against
    the margin that each lies beyond. What does not stand is undecided.
    """
    tested = [index for index, item in enumerate(judged) if item.verdict.kind in {Kind.WORSE, Kind.BETTER}]
    raw = [1.0] * len(judged)
    for index in tested:
        raw[index] = _p_beyond(judged[index])
    corrected = benjamini_hochberg(raw)
    found = list(judged)
    for index in tested:
        if corrected[index] > SCREENING_Q:
            verdict = judged[index].verdict
            found[index] = replace(
                judged[index],
                verdict=replace(
                    verdict,
                    kind=Kind.UNDECIDED,
                    reason=f"{verdict.kind} by itself, but not among {len(judged)} that were looked at "
                    f"(p = {corrected[index]:.2g}, Benjamini-Hochberg); name it in a gate to test it alone",
                ),
            )
    return found


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


def _p_beyond(item: Judged) -> float:
    figure = item.verdict.figure
    scale = Scale.over(figure, item.pairs, figure.margin)
    sign = 1 if item.verdict.kind is Kind.WORSE else -1
    return p_greater([sign * scale.difference(pair) - scale.margin for pair in item.pairs])
