"""What streams cost the others: small requests beside them against the same ones alone, trial by trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.scope import has_others
from analysis.summary import CaseSummary, valid_by_block
from analysis.trial.calibration import error_of
from analysis.verdicts.gate import Pair, level_of
from analysis.verdicts.judgement import Verdict, judge_pairs
from results.metrics import FIGURES
from results.run import Run

BESIDE, ALONE = "others_ttlb_p50", "others_alone_ttlb_p50"


@dataclass(frozen=True, slots=True)
class OthersCost:
    """What one case, whole or streamed, costs the small requests beside it.

    ``verdict`` is of the median wait beside the case's responses against that before the first of them, in
    the same trials; its ratio is what the others wait times as long. ``patience_s`` is after how long one is
    given up.
    """

    summary: CaseSummary
    verdict: Verdict
    patience_s: float


def costs_of(run: Run, rows: Sequence[CaseSummary]) -> list[OthersCost]:
    """One for each of these cases that has others, in their order; controls are left out."""
    return [
        OthersCost(row, _verdict(run, row), float(row.case.parameters["patience_s"]))
        for row in rows
        if has_others(row.case) and not row.control
    ]


def _verdict(run: Run, row: CaseSummary) -> Verdict:
    trials = valid_by_block(run, row.case.identity).values()
    both = [(trial.figures.get(BESIDE), trial.figures.get(ALONE)) for trial in trials]
    return judge_pairs(
        FIGURES[BESIDE],
        [Pair(beside, alone) for beside, alone in both if beside is not None and alone is not None],
        error=error_of(run, FIGURES[BESIDE], row.case),
        level=level_of(run.header.terms),
    )
