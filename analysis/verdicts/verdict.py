"""The gates of a suite, judged over a stored run."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from analysis.summary import pairs_by_block, valid_by_block
from analysis.trial.calibration import error_of
from analysis.verdicts.gate import GateResult, Limit, Pair, check_power, judge
from results.case import Case
from results.errors import MeasurementError
from results.run import Run


@dataclass(frozen=True, slots=True)
class GatedCase:
    """One gate: the case that it names, and its limit. ``name`` is how it is called in messages."""

    name: str
    case: Case
    limit: Limit


def judge_gates(run: Run, gates: Sequence[GatedCase]) -> list[GateResult]:
    """Each gate's result over the run's valid blocks.

    Raises MeasurementError where so many trials are missing or invalid that a gate could not fail, and
    where a valid trial cannot give the figure.
    """
    if not gates:
        return []
    family = [(gate.name, gate.limit, _pairs(run, gate)) for gate in gates]
    for name, _, pairs in family:
        try:
            check_power(len(gates), len(pairs))
        except ValueError as error:
            raise MeasurementError(
                f"the gate {name} cannot be judged: only {len(pairs)} of {run.header.blocks} blocks have "
                f"valid trials of it. {error}"
            ) from error
    return [
        _beyond_error(result, gate.limit, pairs, error_of(run.calibration, gate.limit.figure, gate.case))
        for result, gate, (_, _, pairs) in zip(judge(family), gates, family, strict=True)
    ]


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
    fewest = figure.fewest_gated
    without = sum(
        trial.figures.get(figure.name) is None or trial.outcomes.get("verified", 0) < fewest
        for trial in trials
    )
    if without:  # the trials that have it, like the fast ones that have a p95, would flatter
        needs = f" (a gate on it needs {fewest} requests a trial)" if fewest > 1 else ""
        raise MeasurementError(
            f"the gate {gate.name} cannot be judged: {without} of {len(trials)} valid trials do not give "
            f"{figure.name}{needs}; make the warm-up or the window longer"
        )
    if gate.limit.of_baseline:
        return [Pair(own, base) for own, base in pairs_by_block(run, gate.case, figure.name).values()]
    return [Pair(value, 0.0) for trial in trials if (value := trial.figures[figure.name]) is not None]
