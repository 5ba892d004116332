"""The smallest change for the worse that a run could have seen, in each figure of its end table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.scope import HEADLINE, OF_OTHERS, why_without
from analysis.verdicts.fitness import judge_case
from analysis.verdicts.judgement import Verdict
from results.metrics import FIGURES, Figure
from results.run import Run


@dataclass(frozen=True, slots=True)
class Detectable:
    """``change`` is a ratio to the baseline, or for memory in bytes, as in `judgement.Verdict`.

    It is that of the noisiest case: in every other one, less could have been seen.
    """

    figure: Figure
    change: float


def detectable_changes(run: Run) -> list[Detectable]:
    """One for each figure on which some case, or the control of a baseline, has a verdict."""
    found = []
    for name in (*HEADLINE, *OF_OTHERS):
        changes = [verdict.detectable for verdict in _verdicts(run, name) if verdict.detectable is not None]
        if changes:
            by_size = abs if FIGURES[name].by_difference else _distance
            found.append(Detectable(FIGURES[name], max(changes, key=by_size)))
    return found


def _verdicts(run: Run, name: str) -> Sequence[Verdict]:
    """Of each streamed case against its baseline, and of each baseline against itself."""
    return [
        judge_case(run, case, name, control=case.is_baseline)
        for case in run.header.cases
        if not case.expect_failure and why_without(FIGURES[name], case) is None
    ]


def _distance(ratio: float) -> float:
    """How far a ratio is from 1, whichever way is worse."""
    return abs(math.log(ratio))
