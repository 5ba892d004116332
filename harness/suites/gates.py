"""The gates that a suite asks for, on the cases that a plan measures."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from analysis.scope import headline_of, why_without
from analysis.statistics.looks import LOOKS
from analysis.summary import labels
from analysis.verdicts.gate import check_first_look, check_power, level_of
from analysis.verdicts.verdict import GatedCase, NotJudged
from harness.suites.matrix import PlannedCase, case_of_gate, cases_of, may_be_gated
from harness.suites.suite import Gate, Suite
from results.case import Case
from results.errors import UsageError
from results.metrics import FIGURES, Figure, Unit
from results.run import RunHeader
from results.sides import MarginGate
from results.terms import FailOn, Stopping, Terms

#: What a compressor answers with its own header.
_OF_FIRST_BYTES = frozenset({"ttfb_p50", "ttfb_p95", "ttfb_p99"})

LEFT_OUT = "--only left its case out"
FOR_AB = "a margin is for ab"
FOR_RUN = "a limit is for run"


def gates_of(
    suite: Suite, measured: Sequence[PlannedCase], blocks: int, terms: Terms | None = None
) -> tuple[list[GatedCase], list[NotJudged]]:
    """The gates of a run: the suite's limits on the measured cases; and those that are not judged.

    Raises UsageError with all gates that name no case or several, or a figure that their case cannot have, or
    when the gates could never fail with this number of blocks (on sequential terms, at the first look).
    """
    gates: list[GatedCase] = []
    not_judged: list[NotJudged] = []
    for gate, planned in _named(suite, measured, not_judged):
        if gate.limit is None:
            not_judged.append(NotJudged(gate.name, FOR_AB))
        else:
            gates.append(GatedCase(gate.name, planned.case, gate.limit))
    _check_family(suite, len(gates), blocks, terms or Terms())
    return gates, not_judged


def margin_gates_of(
    suite: Suite, measured: Sequence[PlannedCase], blocks: int, terms: Terms
) -> tuple[list[MarginGate], list[NotJudged]]:
    """The gates of an ab: the suite's margins on the measured cases, and what the terms add to them.

    Returns and raises as `gates_of`.
    """
    gates: list[MarginGate] = []
    not_judged: list[NotJudged] = []
    for gate, planned in _named(suite, measured, not_judged):
        if gate.allowed is None:
            not_judged.append(NotJudged(gate.name, FOR_RUN))
        else:
            gates.append(MarginGate(gate.name, planned.case, gate.metric, gate.allowed))
    if terms.fail_on is FailOn.WORSE:
        gates += _implied(measured, gates)
    _check_family(suite, len(gates), blocks, terms)
    return gates, not_judged


def implied(case: Case) -> list[Figure]:
    """What `FailOn.WORSE` gates of a case: of a p95 nobody knows before whether it has requests enough."""
    return [FIGURES[name] for name in headline_of(case) if FIGURES[name].fewest_gated == 1]


def _implied(measured: Sequence[PlannedCase], gates: Sequence[MarginGate]) -> Iterator[MarginGate]:
    known = {(gate.case.identity, gate.metric) for gate in gates}
    timed = [planned.case for planned in measured if not planned.case.expect_failure]
    names = labels(timed)
    for case in timed:
        for figure in implied(case):
            if (case.identity, figure.name) not in known:
                name = f"{names[case.identity]}: {figure.name} within {figure.margin.share:.0%} of base"
                yield MarginGate(name, case, figure.name, figure.margin)


def _named(
    suite: Suite, measured: Sequence[PlannedCase], not_judged: list[NotJudged]
) -> Iterator[tuple[Gate, PlannedCase]]:
    """Each gate with its case; those whose case ``--only`` left out go to ``not_judged``."""
    identities = {planned.case.identity for planned in measured}
    mistakes: list[str] = []
    cases = cases_of(suite)
    found: list[tuple[Gate, PlannedCase]] = []
    for gate in suite.gate:
        try:
            planned = case_of_gate(cases, gate.case)
        except UsageError as error:
            mistakes.append(str(error))
            continue
        if why := why_without(FIGURES[gate.metric], planned.case):
            mistakes.append(f"the gate on {gate.metric} of {gate.case!r} has nothing to judge: {why}")
        elif _of_its_process(gate.metric) and planned.target.url is not None and planned.target.pid is None:
            mistakes.append(
                f"the gate on {gate.metric} of {gate.case!r} has nothing to judge: of a url nobody knows the "
                "process; give the target its pid, or gate another metric"
            )
        elif gate.metric in _OF_FIRST_BYTES and planned.encoding is not None:
            mistakes.append(
                f"the gate on {gate.metric} of {gate.case!r} would judge a compressor's header, which comes "
                f"long before the first row; gate {gate.metric.replace('ttfb', 'ttfr')}"
            )
        elif planned.case.identity in identities:
            found.append((gate, planned))
        else:
            not_judged.append(NotJudged(gate.name, LEFT_OUT))
    if mistakes:
        raise UsageError(f"the suite {suite.name}: " + "\n".join(mistakes))
    yield from found


def _of_its_process(metric: str) -> bool:
    return FIGURES[metric].unit is Unit.BYTES or metric == "cpu_per_mb"


def _check_family(suite: Suite, gates: int, blocks: int, terms: Terms) -> None:
    """A budget is checked when it is known what fits into it, and is exceeded rather than fall short."""
    try:
        match terms.stopping:
            case Stopping.BLOCKS:
                check_power(gates, blocks)
            case Stopping.DECIDED:
                check_first_look(gates, LOOKS[0], level_of(terms))
            case Stopping.BUDGET:
                pass
    except ValueError as error:
        raise UsageError(f"the suite {suite.name}: {error}") from error


def stored_gates(header: RunHeader, path: Path) -> tuple[list[GatedCase], list[NotJudged]]:
    """The gates of a stored run, and those that it did not judge. An ab has its own in its header.

    From the run alone: neither the suite's file nor its folders need to be there. The run would not have
    begun with a gate that names no case of its suite, so that one without a case here was left out. Raises
    UsageError where the gates cannot be understood; ``path`` is the store's.
    """
    try:
        tables = tomllib.loads(header.suite_toml).get("gate", [])
        wanted = TypeAdapter(list[Gate]).validate_python(tables)
    except ValidationError as error:
        raise UsageError(_not_understood(path, "; ".join(item["msg"] for item in error.errors()))) from error
    except (ValueError, RecursionError) as error:  # of the TOML
        raise UsageError(_not_understood(path, str(error))) from error
    gates: list[GatedCase] = []
    not_judged: list[NotJudged] = []
    for gate in wanted:
        found = [case for case in header.cases if may_be_gated(case, gate.case)]
        if not found:
            not_judged.append(NotJudged(gate.name, LEFT_OUT))
        elif gate.limit is None:
            not_judged += [] if header.sides else [NotJudged(gate.name, FOR_AB)]
        elif header.sides:
            not_judged.append(NotJudged(gate.name, FOR_RUN))
        else:
            gates += [GatedCase(gate.name, case, gate.limit) for case in found]
    return gates, not_judged


def _not_understood(path: Path, why: str) -> str:
    return (
        f"the gates in the suite that {path} keeps cannot be understood: {why}. "
        "Another version of streamgauge wrote it; read it with that one"
    )
