"""All that a report says of a run, in one structure: what exports and reports are made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from analysis.growth import MemoryGrowth, memory_growths
from analysis.line_side import CaseOnLine, line_side
from analysis.load_side import LoadSide, load_side
from analysis.others import OthersCost, costs_of
from analysis.slope import MemorySlope, memory_slopes
from analysis.statistics.multiple import SCREENING_Q
from analysis.summary import CaseSummary, labels, pairs_by_block, summarize
from analysis.trial.calibration import error_of
from analysis.verdicts.fitness import Unfit, judge_case, unfit
from analysis.verdicts.gate import GateResult, Pair, level_of
from analysis.verdicts.judgement import Kind, Verdict
from analysis.verdicts.screening import corrected, p_beyond_margin
from analysis.verdicts.trust import why_untrusted
from analysis.verdicts.verdict import GatedCase, NotJudged, judge_gates
from results.case import Case
from results.errors import MeasurementError
from results.faults import Fault, counted
from results.metrics import FIGURES, Figure
from results.run import Run, RunHeader, measured_again

#: They tell how good the probe is, or what there was before any stream: neither more nor less of it is worse.
_NEVER_JUDGED = frozenset({"peak_missed", "others_alone_ttlb_p50", "others_alone_ttlb_p95"})


class GateState(StrEnum):
    """What came of a gate."""

    WORSE = "worse"
    NOT_WORSE = "not worse"
    INVALID = "invalid"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class GateFinding:
    """One gate of the suite. ``reason`` says why it has no ``result``; null when it has one.

    ``figure``, ``case`` (an identity) and ``label`` are null where ``--only`` left the gate's case out.
    """

    name: str
    state: GateState
    figure: Figure | None = None
    case: str | None = None
    label: str | None = None
    result: GateResult | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class FigureFinding:
    """One figure of one case, in the figure's unit.

    ``value`` and ``ratio`` are those of `analysis.summary.Estimate`. ``verdict`` is against the baseline, or
    for a control against the baseline that it repeats; null for the baseline itself and where nothing is
    judged. ``gated``: a gate rests on it. ``q`` is the p-value of the screening, corrected over all that no
    gate rests on; null where the verdict is an estimate only, for controls, and where ``gated``.
    """

    figure: Figure
    value: float | None
    ratio: float | None
    verdict: Verdict | None
    gated: bool
    q: float | None

    @property
    def stands(self) -> bool:
        """Whether a verdict of screening stands among so many."""
        return self.q is not None and self.q <= SCREENING_Q

    @property
    def ratio_interval(self) -> tuple[float, float] | None:
        """The verdict's interval; None where there is none, and for memory, which has differences."""
        verdict = self.verdict
        if verdict is None or verdict.low is None or verdict.high is None or self.figure.by_difference:
            return None
        return verdict.low, verdict.high

    @property
    def told_apart(self) -> bool:
        """Whether the verdict is worse or better."""
        return self.verdict is not None and self.verdict.kind in {Kind.WORSE, Kind.BETTER}

    @property
    def may_be_chance(self) -> bool:
        """Whether worse or better does not stand among so many comparisons."""
        return self.told_apart and self.q is not None and not self.stands


@dataclass(frozen=True, slots=True)
class CaseFinding:
    """One case, or the control of a baseline.

    ``untrusted`` says why its figures may not be relied on, null when they may. ``reasons`` counts its
    invalid trials by reason, ``faults`` by name, ``outcomes`` its responses by how they ended, ``errors``
    failure texts. ``others_*`` are the same of the small requests beside the streams. ``took_s`` is how long
    its trials took in all.
    """

    summary: CaseSummary
    untrusted: str | None
    reasons: Mapping[str, int]
    faults: Mapping[Fault, int]
    outcomes: Mapping[str, int]
    errors: Mapping[str, int]
    others_outcomes: Mapping[str, int]
    others_errors: Mapping[str, int]
    took_s: float
    figures: Mapping[str, FigureFinding]


@dataclass(frozen=True, slots=True)
class ExpectedFailure:
    """A case that is meant to fail, and how it did; never timed. ``how`` is null before it was asked."""

    case: Case
    label: str
    how: str | None


@dataclass(frozen=True, slots=True)
class Findings:
    """A run and what it means. ``trials`` of ``planned`` are measured, ``invalid`` of them do not count.

    So many of these were ``repeated``: measured once more. ``faults`` counts the invalid ones by name.
    ``costs`` are what the cases with others beside them cost these. ``load`` is null where the run's own
    driver made the load alone; ``lines`` are the cases over lines that have queues.
    """

    header: RunHeader
    finished_utc: str | None
    ran_as: Sequence[str]
    trials: int
    planned: int
    invalid: int
    repeated: int
    faults: Mapping[Fault, int]
    gates: Sequence[GateFinding]
    unfit: Sequence[Unfit]
    cases: Sequence[CaseFinding]
    expected_failures: Sequence[ExpectedFailure]
    slopes: Sequence[MemorySlope]
    growths: Sequence[MemoryGrowth]
    costs: Sequence[OthersCost]
    load: LoadSide | None
    lines: Sequence[CaseOnLine] = ()

    @property
    def invalid_in_words(self) -> str:
        """How many trials are invalid, and how many of them were measured once more."""
        again = f", {self.repeated} of them measured once more" if self.repeated else ""
        return f"{self.invalid} of {self.trials} trials are invalid{again}"

    def gates_that(self, state: GateState) -> list[GateFinding]:
        """The gates of which this came."""
        return [gate for gate in self.gates if gate.state is state]


def find(run: Run, gates: Sequence[GatedCase] = (), not_judged: Sequence[NotJudged] = ()) -> Findings:
    """Everything there is to say of a run. ``not_judged`` are the gates that it does not judge."""
    names = labels(run.header.cases)
    cases = _cases(run, {(gate.case.identity, gate.limit.figure.name) for gate in gates})
    return Findings(
        header=run.header,
        finished_utc=run.finished_utc,
        ran_as=sorted({trial.ran_as for trial in run.trials if trial.ran_as}),
        trials=len(run.trials),
        planned=len(run.header.slots),
        invalid=sum(trial.reason is not None for trial in run.trials),
        repeated=len(measured_again(run.trials)),
        faults=counted(trial.fault for trial in run.trials),
        gates=[
            *_judged(run, gates),
            *(GateFinding(gate.name, GateState.NOT_JUDGED, reason=gate.reason) for gate in not_judged),
        ],
        unfit=unfit(run),
        cases=cases,
        expected_failures=[
            ExpectedFailure(case, names[case.identity], _how_it_failed(run, case))
            for case in run.header.cases
            if case.expect_failure
        ],
        slopes=memory_slopes(run),
        growths=memory_growths(run),
        costs=costs_of(run, [case.summary for case in cases]),
        load=load_side(run),
        lines=line_side(run),
    )


def _judged(run: Run, gates: Sequence[GatedCase]) -> list[GateFinding]:
    names = labels([case for case in run.header.cases if not case.expect_failure])

    def finding(
        gate: GatedCase, state: GateState, result: GateResult | None, reason: str | None
    ) -> GateFinding:
        identity = gate.case.identity
        return GateFinding(gate.name, state, gate.limit.figure, identity, names[identity], result, reason)

    if run.finished_utc is None:  # an early look is a test of its own, which nobody has planned
        reason = (
            f"the run is not complete: {len(run.trials)} of {len(run.header.slots)} trials are measured; "
            "go on with --resume"
        )
        return [finding(gate, GateState.INVALID, None, reason) for gate in gates]
    try:
        results = judge_gates(run, gates)
    except MeasurementError as error:
        return [finding(gate, GateState.INVALID, None, str(error)) for gate in gates]
    return [
        finding(gate, GateState.WORSE if result.failed else GateState.NOT_WORSE, result, None)
        for gate, result in zip(gates, results, strict=True)
    ]


def _cases(run: Run, gated: set[tuple[str, str]]) -> list[CaseFinding]:
    rows = summarize(run)
    verdicts = {
        (number, name): judge_case(
            run,
            row.case,
            name,
            control=row.control,
            error=error_of(run, FIGURES[name], row.case),
            level=level_of(run.header.terms),
        )
        for number, row in enumerate(rows)
        if row.control or not row.case.is_baseline
        for name in FIGURES
        if name not in _NEVER_JUDGED
    }
    screened = corrected(
        {
            (number, name): p_beyond_margin(FIGURES[name], _pairs(run, rows[number].case, name))
            for (number, name), verdict in verdicts.items()
            if not rows[number].control
            and (rows[number].case.identity, name) not in gated
            and verdict.kind is not Kind.ESTIMATE_ONLY
        }
    )
    return [
        _case(
            run,
            row,
            {
                name: FigureFinding(
                    figure=FIGURES[name],
                    value=estimate.value,
                    ratio=estimate.ratio,
                    verdict=verdicts.get((number, name)),
                    gated=not row.control and (row.case.identity, name) in gated,
                    q=screened.get((number, name)),
                )
                for name, estimate in row.estimates.items()
            },
        )
        for number, row in enumerate(rows)
    ]


def _case(run: Run, row: CaseSummary, figures: Mapping[str, FigureFinding]) -> CaseFinding:
    mine = [
        trial
        for trial in run.trials
        if trial.slot.case == row.case.identity and trial.slot.control is row.control
    ]
    return CaseFinding(
        summary=row,
        untrusted=why_untrusted(mine),
        reasons=Counter(trial.reason for trial in mine if trial.reason is not None),
        faults=counted(trial.fault for trial in mine),
        outcomes=_sums(trial.outcomes for trial in mine),
        errors=_sums(trial.errors for trial in mine),
        others_outcomes=_sums(trial.others.outcomes for trial in mine if trial.others is not None),
        others_errors=_sums(trial.others.errors for trial in mine if trial.others is not None),
        took_s=sum(trial.finished_ns - trial.started_ns for trial in mine) / 1e9,
        figures=figures,
    )


def _sums(counts: Iterable[Mapping[str, int]]) -> Mapping[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return total


def _pairs(run: Run, case: Case, name: str) -> list[Pair]:
    return [Pair(*both) for both in pairs_by_block(run, case, name).values()]


def _how_it_failed(run: Run, case: Case) -> str | None:
    found = run.verifications.get(case.identity)
    return None if found is None else found.failure or f"status {found.status}"
