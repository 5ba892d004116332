"""The gates of a suite, judged over a stored run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.gate import GateResult, Limit, Pair, check_power, judge
from analysis.summary import pairs_by_block, valid_by_block
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

    Raises MeasurementError where so many trials are missing or invalid that a gate could not fail.
    """
    if not gates:
        return []
    family = [(gate.name, gate.limit, _pairs(run, gate)) for gate in gates]
    for name, limit, pairs in family:
        try:
            check_power(len(gates), len(pairs))
        except ValueError as error:
            raise MeasurementError(
                f"the gate {name} cannot be judged: only {len(pairs)} of {run.header.blocks} blocks have "
                f"valid trials that give its figure{_needs(limit)}. {error}"
            ) from error
    return judge(family)


def _pairs(run: Run, gate: GatedCase) -> list[Pair]:
    figure = gate.limit.figure.name
    if gate.limit.of_baseline:
        return [Pair(own, base) for own, base in pairs_by_block(run, gate.case, figure).values()]
    trials = valid_by_block(run, gate.case.identity).values()
    return [Pair(value, 0.0) for trial in trials if (value := trial.figures.get(figure)) is not None]


def _needs(limit: Limit) -> str:
    fewest = limit.figure.fewest_requests
    return f" (a trial needs {fewest} requests for it)" if fewest > 1 else ""
