"""All that is said of an ab, in one structure: head against base, the gates, and what is doubtful."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from analysis.line_side import CaseOnLine, line_side
from analysis.load_side import LoadSide, load_side
from analysis.summary import labels
from analysis.verdicts.fitness import Unfit, unfit
from analysis.verdicts.margin_gate import GateOutcome, outcomes
from analysis.verdicts.sides import Judged, differing, judge_sides, screened, side_of
from analysis.verdicts.trust import trustworthy
from analysis.verdicts.verdict import NotJudged
from results.errors import MeasurementError
from results.faults import Fault, counted
from results.run import Run, RunHeader, measured_again
from results.sides import MarginGate, Side


class AbState(StrEnum):
    """What came of a gate with a margin."""

    WORSE = "worse"
    """By both sets of blocks."""
    NOT_CONFIRMED = "not confirmed"
    """By the first set, and not by the one that was to confirm it."""
    NOT_MEASURED_AGAIN = "not measured again"
    """By the first set; the one that confirms is not there yet."""
    NOT_WORSE = "not worse"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class AbGate:
    """One gate. ``reason`` says why it has no ``outcome``; null when it has one."""

    gate: MarginGate
    label: str
    state: AbState
    outcome: GateOutcome | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AbLine:
    """Head against base in one figure of one case.

    ``base`` and ``head`` are the medians over the blocks, in the figure's unit. ``gated``: a gate rests on
    it; the verdicts of all others are screening.
    """

    label: str
    judged: Judged
    gated: bool
    base: float | None
    head: float | None


@dataclass(frozen=True, slots=True)
class AbFindings:
    """An ab and what it means. ``trials`` of ``planned`` are measured.

    ``invalid`` counts the trials that do not count, by case and side, and by reason; so many of them were
    ``repeated``: measured once more. ``untrusted``: so much
    is invalid that the ab may not be relied on. ``unfit`` is base's own A/A control. ``bodies`` names the
    cases whose bodies differ between the sides. ``load`` is null where the ab's own driver made it alone.
    ``over_lines`` are the cases over lines that have queues.
    """

    header: RunHeader
    finished_utc: str | None
    trials: int
    planned: int
    lines: Sequence[AbLine]
    gates: Sequence[AbGate]
    not_judged: Sequence[NotJudged]
    invalid: Mapping[tuple[str, str], int]
    repeated: int
    faults: Mapping[Fault, int]
    untrusted: bool
    unfit: Sequence[Unfit]
    bodies: Sequence[str]
    load: LoadSide | None
    over_lines: Sequence[CaseOnLine] = ()

    @property
    def repeated_in_words(self) -> str | None:
        """How many of the invalid trials were measured once more; null where none was."""
        count = sum(self.invalid.values())
        return f"{self.repeated} of {count} invalid trials measured once more" if self.repeated else None

    def gates_that(self, state: AbState) -> list[AbGate]:
        """The gates of which this came."""
        return [gate for gate in self.gates if gate.state is state]


def find_ab(run: Run, not_judged: Sequence[NotJudged] = ()) -> AbFindings:
    """Everything there is to say of an ab. ``not_judged`` are the suite's gates that it does not judge."""
    names = labels([case for case in run.header.cases if not case.expect_failure])
    invalid: Counter[tuple[str, str]] = Counter()
    for trial in run.trials:
        if trial.reason is not None:
            invalid[f"{names[trial.slot.case]} on {trial.slot.side}", trial.reason] += 1
    return AbFindings(
        header=run.header,
        finished_utc=run.finished_utc,
        trials=len(run.trials),
        planned=len(run.header.slots),
        lines=_lines(run, names),
        gates=_gates(run, names),
        not_judged=not_judged,
        invalid=invalid,
        repeated=len(measured_again(run.trials)),
        faults=counted(trial.fault for trial in run.trials),
        untrusted=not trustworthy(run.trials),
        unfit=unfit(side_of(run, Side.BASE)),
        bodies=differing(run),
        load=load_side(run),
        over_lines=line_side(run),
    )


def _lines(run: Run, names: Mapping[str, str]) -> list[AbLine]:
    gated = {(gate.case.identity, gate.metric) for gate in run.header.margin_gates}
    judged = judge_sides(run)
    screening = iter(screened([item for item in judged if _key(item) not in gated]))
    return [
        AbLine(
            names[item.case.identity],
            item if _key(item) in gated else next(screening),
            _key(item) in gated,
            _median([pair.baseline for pair in item.pairs]),
            _median([pair.figure for pair in item.pairs]),
        )
        for item in judged
    ]


def _key(item: Judged) -> tuple[str, str]:
    return item.case.identity, item.verdict.figure.name


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _gates(run: Run, names: Mapping[str, str]) -> list[AbGate]:
    def untold(reason: str) -> list[AbGate]:
        return [
            AbGate(gate, names[gate.case.identity], AbState.INVALID, reason=reason)
            for gate in run.header.margin_gates
        ]

    if run.finished_utc is None:  # an early look is a test of its own, which nobody has planned
        return untold(
            f"the ab is not complete: {len(run.trials)} of {len(run.header.slots)} trials are measured; "
            "go on with --resume"
        )
    try:
        found = outcomes(run)
    except MeasurementError as error:
        return untold(str(error))
    return [
        AbGate(item.first.gate, names[item.first.gate.case.identity], _state(item), item) for item in found
    ]


def _state(outcome: GateOutcome) -> AbState:
    if not outcome.first.failed:
        return AbState.NOT_WORSE
    if outcome.second is None:
        return AbState.NOT_MEASURED_AGAIN
    return AbState.WORSE if outcome.worse else AbState.NOT_CONFIRMED
