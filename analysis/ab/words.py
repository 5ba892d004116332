"""What is said of an ab's gates and figures, in the words that terminal, page and exports share."""

from __future__ import annotations

from analysis.ab.findings import AbGate, AbLine
from analysis.table import amount, effect, span
from analysis.verdicts.margin_gate import MarginResult
from results.metrics import Unit

_DASH = "–"


def of_gate(item: AbGate) -> str:
    """What came of a gate, without its name."""
    if item.outcome is None:
        return f"CANNOT BE JUDGED: {item.reason}"
    first, second = item.outcome.first, item.outcome.second
    if not first.failed:
        return f"{_not_worse(first)}: {_measured(first)}"
    if second is None:
        return f"worse so far, not measured again yet: {_measured(first)}"
    again = f"{second.blocks} further blocks: {_measured(second)}"
    if second.failed:
        return f"WORSE: {_measured(first)}; confirmed by {again}"
    return f"NOT CONFIRMED: {_measured(first)}, but {_not_worse(second)} in {again}"


def estimate_of(line: AbLine) -> str:
    """Head over base, for memory head less base."""
    return effect(line.judged.verdict.estimate, line.judged.verdict.figure)


def interval_of(line: AbLine) -> str:
    """The interval of the same; a dash where there is none."""
    verdict = line.judged.verdict
    return span(verdict.low, verdict.high, verdict.figure) or _DASH


def verdict_of(line: AbLine) -> str:
    """The verdict, and what it rests on where that is less than a gate."""
    verdict = line.judged.verdict
    notes = ["provisional"] * verdict.provisional + ["screening"] * (not line.gated)
    return f"{verdict.kind} ({', '.join(notes)})" if notes else verdict.kind.value


def _not_worse(result: MarginResult) -> str:
    if result.within_error_ns is not None:
        error = amount(result.within_error_ns, Unit.NANOSECONDS)
        return f"not worse, within the client's error of {error}"
    return "not worse" if result.holds else "not shown to be worse, nor to be within its margin"


def _measured(result: MarginResult) -> str:
    return f"{result.estimate} against a margin of {result.limit} (p = {result.p:.3g}, Holm)"
