"""The gates of a suite, judged over a stored run."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from analysis.statistics.signed_rank import p_greater
from analysis.summary import pairs_by_block, requests_inside, valid_by_block
from analysis.trial.calibration import error_of
from analysis.verdicts.gate import GateResult, Limit, Pair, check_power, judge, level_of
from results.case import Case
from results.errors import MeasurementError
from results.metrics import Figure
from results.run import Run, TrialSummary


@dataclass(frozen=True, slots=True)
class GatedCase:
    """One gate: the case that it names, and its limit. ``name`` is how it is called in messages."""

    name: str
    case: Case
    limit: Limit


@dataclass(frozen=True, slots=True)
class NotJudged:
    """A gate of the suite that a run does not judge, and why."""

    name: str
    reason: str


def judge_gates(run: Run, gates: Sequence[GatedCase]) -> list[GateResult]:
    """Each gate's result over the run's valid blocks, in a sequential run at the level of its looks.

    Raises MeasurementError where so many trials are missing or invalid that a gate could not fail, and
    where a valid trial cannot give the figure.
    """
    if not gates:
        return []
    level = level_of(run.header.terms)
    family = [(gate.name, gate.limit, _pairs(run, gate)) for gate in gates]
    for name, _, pairs in family:
        try:
            check_power(len(gates), len(pairs), level)
        except ValueError as error:
            raise MeasurementError(
                f"the gate {name} cannot be judged: only {len(pairs)} of {run.header.blocks} blocks have "
                f"valid trials of it. {error}"
            ) from error
    return [
        _beyond_error(result, gate.limit, pairs, error_of(run, gate.limit.figure, gate.case))
        for result, gate, (_, _, pairs) in zip(judge(family, level), gates, family, strict=True)
    ]


def gates_decided(run: Run, gates: Sequence[GatedCase]) -> bool:
    """Whether each gate has failed, or is shown to hold by the same test, turned round."""
    level = level_of(run.header.terms)
    return all(
        result.failed or p_greater([-excess for excess in _excess(gate.limit, _pairs(run, gate))]) <= level
        for result, gate in zip(judge_gates(run, gates), gates, strict=True)
    )


def _excess(limit: Limit, pairs: Sequence[Pair]) -> list[float]:
    return [limit.excess(pair.figure, pair.baseline) for pair in pairs]


def _beyond_error(
    result: GateResult, limit: Limit, pairs: Sequence[Pair], error_ns: float | None
) -> GateResult:
    """A gate fails only when the case is beyond its limit by more than the client's own error."""
    if not result.failed or error_ns is None:
        return result
    beyond = statistics.median(abs(pair.figure - limit.of(pair.baseline)) for pair in pairs)
    return replace(result, failed=False, within_error_ns=error_ns) if beyond <= error_ns else result


def _pairs(run: Run, gate: GatedCase) -> list[Pair]:
    figure = gate.limit.figure
    trials = [*valid_by_block(run, gate.case.identity).values()]
    if gate.limit.of_baseline and gate.case.baseline is not None:
        trials += valid_by_block(run, gate.case.baseline).values()
    check_given(gate.name, figure, trials)
    if gate.limit.of_baseline:
        return [Pair(own, base) for own, base in pairs_by_block(run, gate.case, figure.name).values()]
    return [Pair(value, 0.0) for trial in trials if (value := trial.figures[figure.name]) is not None]


def check_given(gate: str, figure: Figure, trials: Sequence[TrialSummary]) -> None:
    """That each of these valid trials gives the figure, and rests on requests enough for a gate.

    Those that have it, like the fast ones that have a p95, would flatter. Raises MeasurementError.
    """
    fewest = figure.fewest_gated
    without = sum(
        trial.figures.get(figure.name) is None or requests_inside(trial) < fewest for trial in trials
    )
    if without:
        needs = f" (a gate on it needs {fewest} requests a trial)" if fewest > 1 else ""
        raise MeasurementError(
            f"the gate {gate} cannot be judged: {without} of {len(trials)} valid trials do not give "
            f"{figure.name}{needs}; make the warm-up or the window longer"
        )
