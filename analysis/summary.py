"""A run as a table: for each case the median of its trials and its ratio to its baseline."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.statistics.signed_rank import hodges_lehmann
from results.case import SETTINGS, Case, Value, value_text
from results.metrics import FIGURES, Unit
from results.records import AS_PLANNED_LABELS, Verification
from results.run import Run, TrialSummary, standing

_PAGE_BYTES = 4096
#: Settings whose values speak for themselves.
_NAMES = frozenset({"server", "worker_class", "scenario", "spacing"})


@dataclass(frozen=True, slots=True)
class Estimate:
    """One figure of one case.

    ``value`` is the median over its valid trials, in the figure's unit; null where one of them has none.
    ``ratio`` is the case over its baseline: exp of the Hodges-Lehmann estimate of the blocks' log ratios,
    or, for memory (which may grow by nothing and has no logarithm then), the ratio of the two medians.
    """

    value: float | None
    ratio: float | None


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """One row: a case, or the A/A control of a baseline (its second measurement)."""

    case: Case
    label: str
    control: bool
    verification: Verification | None
    trials: int
    invalid: int
    responses: int
    failed: int
    estimates: Mapping[str, Estimate]


def summarize(run: Run) -> list[CaseSummary]:
    """A row for each timed case in the suite's order, each baseline followed by its control."""
    names = labels([case for case in run.header.cases if not case.expect_failure])
    rows: list[CaseSummary] = []
    for case in run.header.cases:
        if case.expect_failure:
            continue
        rows.append(_summary(run, case, names[case.identity], control=False))
        if case.is_baseline:
            rows.append(_summary(run, case, f"{names[case.identity]} (again)", control=True))
    return rows


def labels(cases: Sequence[Case]) -> dict[str, str]:
    """Short names by identity: the target, its form, and the values that differ among these cases."""
    return {case.identity: _label(case, cases) for case in cases}


def label_without(run: Run, case: Case, axis: str) -> str:
    """The name of a family: that of one of its cases, without the axis in which they differ."""

    def without(parameters: Mapping[str, Value]) -> Case:
        return Case({key: value for key, value in parameters.items() if key != axis}, baseline=None)

    alike = [without(other.parameters) for other in run.header.cases if not other.expect_failure]
    return labels(alike)[without(case.parameters).identity]


def valid_by_block(run: Run, identity: str, *, control: bool = False) -> dict[int, TrialSummary]:
    """The valid trials of a case (or of its control) by block number.

    None of an ab, whose sides would be taken for one: see `analysis.verdicts.sides.side_of`.
    """
    return {
        trial.slot.block: trial for trial in _trials(run, identity, control=control) if trial.reason is None
    }


def requests_inside(trial: TrialSummary) -> int:
    """About how many requests that count the window holds: those of warm-up and drain make no percentile."""
    if trial.follow_ups is not None:
        return trial.follow_ups.hang_ups
    verified = trial.outcomes.get("verified", 0)
    rate = trial.figures.get("requests_per_second")
    if rate is None or trial.window_open_ns is None or trial.window_close_ns is None:
        return verified
    return min(verified, round(rate * (trial.window_close_ns - trial.window_open_ns) / 1e9))


def others_inside(trial: TrialSummary) -> int:
    """How many small requests beside the streams were wanted inside the window, answered or not."""
    return 0 if trial.others is None else sum(trial.others.outcomes.values())


def _trials(run: Run, identity: str, *, control: bool) -> list[TrialSummary]:
    return [
        trial
        for trial in run.trials
        if trial.slot.case == identity and trial.slot.control is control and trial.slot.side is None
    ]


def pairs_by_block(
    run: Run, case: Case, figure: str, *, control: bool = False
) -> dict[int, tuple[float, float]]:
    """(figure of the case, figure of its baseline) of each block in which both are valid.

    A control is paired with the baseline that it repeats.
    """
    own = valid_by_block(run, case.identity, control=control)
    base = valid_by_block(run, case.baseline or case.identity)
    pairs = {  # a store made before a figure was known has none of it
        block: (own[block].figures.get(figure), base[block].figures.get(figure))
        for block in own
        if block in base
    }
    return {
        block: (value, against)
        for block, (value, against) in pairs.items()
        if value is not None and against is not None
    }


def _label(case: Case, cases: Sequence[Case]) -> str:
    parameters = case.parameters
    words = [str(parameters["target"])]
    if parameters["form"] != "stream":
        words.append(str(parameters["form"]))
    siblings = [other for other in cases if other.parameters["target"] == parameters["target"]]
    for key in parameters:
        if key in {"target", "form", *SETTINGS}:
            continue
        # a whole form has no buffer: not to have the key is a difference too
        if len({other.parameters.get(key) for other in siblings}) > 1:
            words.append(f"{key}={parameters[key]}")
    for key in SETTINGS:
        values = {other.parameters[key] for other in cases if key in other.parameters}
        if key in parameters and len(values) > 1:
            text = value_text(parameters[key])
            words.append(text if key in _NAMES else f"{key}={text}")
    return " ".join(words)


def _summary(run: Run, case: Case, label: str, *, control: bool) -> CaseSummary:
    mine = standing(_trials(run, case.identity, control=control))
    valid = [trial for trial in mine if trial.reason is None]
    return CaseSummary(
        case=case,
        label=label,
        control=control,
        verification=run.verifications.get(case.identity),
        trials=len(mine),
        invalid=len(mine) - len(valid),
        responses=sum(sum(trial.outcomes.values()) for trial in mine),
        failed=sum(
            n for trial in mine for outcome, n in trial.outcomes.items() if outcome not in AS_PLANNED_LABELS
        ),
        estimates={name: estimate(run, case, name, control=control) for name in FIGURES},
    )


def estimate(run: Run, case: Case, name: str, *, control: bool = False) -> Estimate:
    """One figure of a case (or of its control) over the trials that the run has."""
    valid = valid_by_block(run, case.identity, control=control).values()
    values = [value for trial in valid if (value := trial.figures.get(name)) is not None]
    # A p95 of the fast trials alone, which alone had requests enough, would flatter.
    value = statistics.median(values) if values and len(values) == len(valid) else None
    if value is None or (case.is_baseline and not control):
        return Estimate(value, None)
    base = valid_by_block(run, case.baseline or case.identity).values()
    if any(trial.figures.get(name) is None for trial in base):
        return Estimate(value, None)
    pairs = pairs_by_block(run, case, name, control=control)
    if FIGURES[name].by_difference:
        in_bytes = FIGURES[name].unit is Unit.BYTES
        return Estimate(value, _ratio_of_medians(pairs, memory_resolution_bytes(run) if in_bytes else 0.0))
    return Estimate(value, _ratio(pairs))


def memory_resolution_bytes(run: Run) -> int:
    """How far the kernel's count of a process's memory may be off on the machine of this run."""
    return mark_resolution_bytes(int(run.header.environment.get("cpu_count") or 1))


def mark_resolution_bytes(cpus: int) -> int:
    """How far the kernel's high-water mark of a process may be off on a machine with so many CPUs.

    Linux counts pages for each CPU apart and adds them up in batches of max(32, 2 x CPUs) pages
    (lib/percpu_counter.c); the high-water mark is taken from that sum.
    """
    return max(32, 2 * cpus) * cpus * _PAGE_BYTES


def _ratio_of_medians(pairs: Mapping[int, tuple[float, float]], resolution: float) -> float | None:
    """None where the baseline itself cannot be told from nothing."""
    if not pairs:
        return None
    baseline = statistics.median(against for _, against in pairs.values())
    own = statistics.median(value for value, _ in pairs.values())
    return own / baseline if baseline > resolution else None


def _ratio(pairs: Mapping[int, tuple[float, float]]) -> float | None:
    if not pairs or any(value <= 0 or against <= 0 for value, against in pairs.values()):
        return None
    return math.exp(hodges_lehmann([math.log(value / against) for value, against in pairs.values()]))
