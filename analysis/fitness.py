"""Verdicts over a stored run: one case in one figure, and whether the machine was fit to measure at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.calibration import error_of
from analysis.gate import LEVEL, Pair
from analysis.judgement import FEWEST_BLOCKS, Kind, Verdict, estimate_only, judge_pairs
from analysis.looks import level_of
from analysis.summary import labels, memory_resolution_bytes, pairs_by_block, valid_by_block
from results.case import Case
from results.metrics import FIGURES, Figure, Margin
from results.run import Run, TrialSummary

#: The figures of the end table: those that a reader of a run relies on.
HEADLINE = ("ttfb_p50", "ttfb_p95", "throughput", "peak_memory", "cpu_per_mb")


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
    return judge_trials(
        FIGURES[name],
        valid_by_block(run, case.identity, control=control),
        valid_by_block(run, case.baseline or case.identity),
        resolution=memory_resolution_bytes(run),
        error=error,
        level=level,
    )


def judge_trials(
    figure: Figure,
    own: Mapping[int, TrialSummary],
    base: Mapping[int, TrialSummary],
    *,
    resolution: float,
    error: float | None,
    level: float = LEVEL,
    margin: Margin | None = None,
) -> Verdict:
    """One arm's valid trials by block against another's; the rest as in `judge_case` and `judge_pairs`."""
    name = figure.name
    pairs = pairs_of(own, base, name)
    trials = [*own.values(), *base.values()]
    without = sum(trial.figures.get(name) is None for trial in trials)
    if without:
        return estimate_only(
            figure, len(pairs), f"{without} of {len(trials)} valid trials do not give {name}"
        )
    if any(trial.outcomes.get("verified", 0) < figure.fewest_gated for trial in trials):
        reason = f"a verdict on {name} needs {figure.fewest_gated} requests in each trial"
        return estimate_only(figure, len(pairs), reason, judge_pairs(figure, pairs).estimate)
    return judge_pairs(figure, pairs, margin=margin, resolution=resolution, error=error, level=level)


def pairs_of(own: Mapping[int, TrialSummary], base: Mapping[int, TrialSummary], name: str) -> list[Pair]:
    """Both arms' figures, of each block in which both are valid and give it."""
    pairs = [(own[block].figures.get(name), base[block].figures.get(name)) for block in own if block in base]
    return [Pair(value, against) for value, against in pairs if value is not None and against is not None]


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


def run_decided(run: Run) -> bool:
    """Whether more blocks would decide nothing more of the cases against their baselines."""
    level = level_of(run.header.terms)
    variants = [case for case in run.header.cases if case.baseline is not None]
    if any(len(pairs_by_block(run, case, "throughput")) < FEWEST_BLOCKS for case in variants):
        return False
    return all(
        settled(
            judge_case(run, case, name, error=error_of(run.calibration, FIGURES[name], case), level=level)
        )
        for case in variants
        for name in HEADLINE
    )


def settled(verdict: Verdict) -> bool:
    """Whether more blocks would change nothing, given enough of them: decided, or never to be."""
    return verdict.kind is not Kind.UNDECIDED
