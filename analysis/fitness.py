"""Verdicts over a stored run: one case in one figure, and whether the machine was fit to measure at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.calibration import error_of
from analysis.gate import Pair
from analysis.judgement import Kind, Verdict, estimate_only, judge_pairs
from analysis.summary import labels, memory_resolution_bytes, pairs_by_block, valid_by_block
from results.case import Case
from results.metrics import FIGURES
from results.run import Run

#: The figures of the end table: those that a reader of a run relies on.
HEADLINE = ("ttfb_p50", "ttfb_p95", "throughput", "peak_memory", "cpu_per_mb")


@dataclass(frozen=True, slots=True)
class Unfit:
    """A baseline that came out worse or better than itself. ``label`` is the control's name in the table."""

    label: str
    verdict: Verdict


def judge_case(
    run: Run, case: Case, name: str, *, control: bool = False, error: float | None = None
) -> Verdict:
    """A case (or with ``control`` a baseline's second measurement) against its baseline in one figure.

    An estimate at most where a valid trial does not give the figure (those that do would flatter), and on a
    tail that rests on too few requests. ``error`` is the client's calibrated error in the figure's unit.
    """
    figure = FIGURES[name]
    pairs = [Pair(*both) for both in pairs_by_block(run, case, name, control=control).values()]
    own = valid_by_block(run, case.identity, control=control)
    base = valid_by_block(run, case.baseline or case.identity)
    trials = [*own.values(), *base.values()]
    without = sum(trial.figures.get(name) is None for trial in trials)
    if without:
        return estimate_only(
            figure, len(pairs), f"{without} of {len(trials)} valid trials do not give {name}"
        )
    if any(trial.outcomes.get("verified", 0) < figure.fewest_gated for trial in trials):
        reason = f"a verdict on {name} needs {figure.fewest_gated} requests in each trial"
        return estimate_only(figure, len(pairs), reason, judge_pairs(figure, pairs).estimate)
    return judge_pairs(figure, pairs, resolution=memory_resolution_bytes(run), error=error)


def unfit(run: Run) -> Sequence[Unfit]:
    """The A/A controls that came out worse or better: two equal things that the machine told apart."""
    names = labels([case for case in run.header.cases if not case.expect_failure])
    verdicts = [
        Unfit(
            f"{names[case.identity]} (again)",
            judge_case(
                run, case, figure, control=True, error=error_of(run.calibration, FIGURES[figure], case)
            ),
        )
        for case in run.header.cases
        if case.is_baseline
        for figure in HEADLINE
    ]
    return [item for item in verdicts if item.verdict.kind in {Kind.WORSE, Kind.BETTER}]
