"""Computed sentences whose figures link to their rows in the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from analysis.findings import CaseFinding, FigureFinding
from analysis.table import amount_of, span
from analysis.verdicts.judgement import Kind, Verdict


@dataclass(frozen=True, slots=True)
class Link:
    """Text that leads to the row with this anchor."""

    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Name:
    """Text that somebody else chose: a case, a reason, what a server printed."""

    text: str


#: In the order of reading: our own words, figures that lead to their rows, other people's words.
Sentence: TypeAlias = Sequence[str | Link | Name]


def anchor(number: int, figure: str) -> str:
    """The row of a figure of the findings' case with this number."""
    return f"row-{number}-{figure}"


def value(number: int, case: CaseFinding, figure: str) -> Link:
    """A case's value, as people read it."""
    item = case.figures[figure]
    return Link(amount_of(figure, item.value, case.summary.case), anchor(number, figure))


def interval(verdict: Verdict) -> str:
    """A verdict's interval, empty where it has none."""
    return span(verdict.low, verdict.high, verdict.figure)


def firm(item: FigureFinding) -> bool:
    """Whether worse or better is more than a hint: by ranks, and standing among all that is screened."""
    return (
        item.told_apart
        and item.verdict is not None
        and not item.verdict.provisional
        and (item.gated or item.q is None or item.stands)
    )


def word(item: FigureFinding) -> str:
    """The verdict in words, with what makes it doubtful."""
    verdict = item.verdict
    if verdict is None:
        return ""
    if verdict.kind is Kind.ESTIMATE_ONLY:
        return "no verdict"
    if item.may_be_chance:
        return f"{verdict.kind}?"
    return f"{verdict.kind}, provisional" if verdict.provisional else verdict.kind.value


def doubt(item: FigureFinding) -> str:
    """Why a verdict is less than firm, empty where it is."""
    if item.may_be_chance:
        return "may be chance among so many comparisons"
    if item.verdict is not None and item.verdict.provisional:
        return "so few blocks make no firm verdict"
    return ""
