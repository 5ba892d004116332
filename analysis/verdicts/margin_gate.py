"""Gates with a margin: head no worse than base by more than it, confirmed before it fails."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.statistics.multiple import holm
from analysis.statistics.signed_rank import hodges_lehmann, p_greater
from analysis.trial.calibration import error_of
from analysis.verdicts.arm import arm_between
from analysis.verdicts.gate import LEVEL, Pair, check_power, level_of
from analysis.verdicts.judgement import apart
from analysis.verdicts.scale import Scale
from analysis.verdicts.sides import trials_of
from analysis.verdicts.verdict import check_given
from results.errors import MeasurementError
from results.metrics import Figure, Margin
from results.run import Run
from results.sides import MarginGate, Side

_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_MOST_PERCENT = 1000


@dataclass(frozen=True, slots=True)
class MarginResult:
    """What one set of blocks says of a gate.

    ``p`` is of the signed-rank test of head's differences to base against the margin, corrected over the
    family. ``holds``: the same test, turned round, shows that head is within the margin. ``estimate`` and
    ``limit`` are texts such as ×1.07 and ×1.03. ``within_error_ns`` is the client's error where that alone
    is why the gate did not fail.
    """

    gate: MarginGate
    blocks: int
    p: float
    failed: bool
    holds: bool
    estimate: str
    limit: str
    within_error_ns: float | None = None


@dataclass(frozen=True, slots=True)
class GateOutcome:
    """A gate over the first set of blocks and, where it failed there, over the one that has to confirm it."""

    first: MarginResult
    second: MarginResult | None = None

    @property
    def worse(self) -> bool:
        """Whether the gate fails: both sets say so."""
        return self.first.failed and self.second is not None and self.second.failed


def parse_margin(given: str, figure: Figure) -> Margin:
    """A margin such as ``"3%"``. Memory keeps the least number of bytes of its own margin.

    Raises ValueError that says what is allowed.
    """
    match = _PERCENT.fullmatch(given.strip())
    if match is None or not float(match[1]) <= _MOST_PERCENT:
        raise ValueError(f'{given!r} is no margin; write a percentage of base, like "3%"')
    return Margin(float(match[1]) / 100, figure.margin.least)


def judge_margins(run: Run, gates: Sequence[MarginGate], *, confirming: bool = False) -> list[MarginResult]:
    """Each gate over one set of blocks; Holm's correction over these gates.

    The first set at the level of the run's terms; the one that confirms is looked at once.

    Raises MeasurementError where so many trials are missing or invalid that a gate could not fail, and
    where a valid trial cannot give the figure.
    """
    level = LEVEL if confirming else level_of(run.header.terms)
    family = [_Tested.over(run, gate, confirming=confirming) for gate in gates]
    for item in family:
        try:
            check_power(len(gates), len(item.pairs), level)
        except ValueError as error:
            raise MeasurementError(
                f"the gate {item.gate.name} cannot be judged: only {len(item.pairs)} of {run.header.blocks} "
                f"blocks have valid trials of it on both sides. {error}"
            ) from error
    corrected = holm([p_greater(item.excess) for item in family])
    return [_result(run, item, p, level) for item, p in zip(family, corrected, strict=True)]


def margins_decided(run: Run) -> bool:
    """Whether each gate of the run has failed or is shown to hold."""
    return all(result.failed or result.holds for result in judge_margins(run, run.header.margin_gates))


def outcomes(run: Run) -> list[GateOutcome]:
    """The outcome of each gate of the run. Raises MeasurementError as `judge_margins`."""
    first = judge_margins(run, run.header.margin_gates)
    failed = [result.gate for result in first if result.failed]
    if not failed or not any(trial.slot.confirming for trial in run.trials):
        return [GateOutcome(result) for result in first]
    second = iter(judge_margins(run, failed, confirming=True))
    return [GateOutcome(result, next(second) if result.failed else None) for result in first]


@dataclass(frozen=True, slots=True)
class _Tested:
    """A gate with its blocks; ``excess`` is by how much head is beyond the margin in each."""

    gate: MarginGate
    pairs: Sequence[Pair]
    scale: Scale
    differences: Sequence[float]

    @classmethod
    def over(cls, run: Run, gate: MarginGate, *, confirming: bool) -> _Tested:
        head, base = (
            trials_of(run, gate.case, side, confirming=confirming) for side in (Side.HEAD, Side.BASE)
        )
        check_given(gate.name, gate.figure, [*head.values(), *base.values()])
        pairs = arm_between(head, base, gate.figure.name, gate.case).pairs
        if not pairs:
            raise MeasurementError(
                f"the gate {gate.name} cannot be judged: no block has a valid trial of it on both sides; "
                "the reasons stand above"
            )
        if not gate.figure.by_difference and any(min(pair.figure, pair.baseline) <= 0 for pair in pairs):
            raise MeasurementError(
                f"the gate {gate.name} cannot be judged: a value of 0 has no ratio; make the window longer"
            )
        scale = Scale.over(gate.figure, pairs, gate.margin)
        return cls(gate, pairs, scale, [scale.difference(pair) for pair in pairs])

    @property
    def excess(self) -> list[float]:
        return [difference - self.scale.margin for difference in self.differences]


def _result(run: Run, item: _Tested, p: float, level: float) -> MarginResult:
    failed = p <= level
    error_ns = error_of(run, item.gate.figure, item.gate.case)
    within = failed and error_ns is not None and apart(item.pairs) < error_ns
    return MarginResult(
        gate=item.gate,
        blocks=len(item.pairs),
        p=p,
        failed=failed and not within,
        holds=p_greater([-excess for excess in item.excess]) <= level,
        estimate=item.scale.text(hodges_lehmann(item.differences)),
        limit=item.scale.text(item.scale.margin),
        within_error_ns=error_ns if within else None,
    )
