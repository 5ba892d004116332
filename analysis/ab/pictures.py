"""The pictures of an ab: head over base for each case with its interval, and block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from analysis.ab.findings import AbFindings
from analysis.plots.block_ratios import DRAWN, Ratios, block_ratios
from analysis.plots.drawing import LOOKS
from analysis.plots.forest import Line, forests
from analysis.plots.picture import Absent, Picture
from analysis.summary import labels
from analysis.verdicts.gate import interval_name
from analysis.verdicts.sides import ratios_by_block
from results.run import Run

#: More pictures of one kind than this nobody looks at; the table has everything.
_MOST_ALIKE = 6
_BY_BLOCK = "Head over base, block by block"


def ab_pictures(findings: AbFindings, run: Run) -> list[Picture | Absent]:
    """All of them, in order; ``run`` is what the findings are of."""
    found = forests(partial(_lines, findings), interval_name(findings.header.terms), "")
    by_block = list(_by_block(run))
    return found + (by_block or [Absent(_BY_BLOCK, "no case has two valid blocks on both sides")])


def _lines(findings: AbFindings, name: str) -> list[Line]:
    found = [
        (item.label, item.judged.verdict)
        for item in findings.lines
        if item.judged.verdict.figure.name == name
    ]
    lines = [Line.drawable(label, one.kind, one.estimate, one.low, one.high) for label, one in found]
    return [line for line in lines if line is not None]


def _by_block(run: Run) -> Iterator[Picture | Absent]:
    """As many cases in a picture as can be told apart."""
    cases = [case for case in run.header.cases if not case.expect_failure]
    names = labels(cases)
    ratios = [
        (names[case.identity], {name: ratios_by_block(run, case, name) for name in DRAWN}) for case in cases
    ]
    drawable = [item for item in ratios if any(len(by_block) > 1 for by_block in item[1].values())]
    groups: Sequence[range] = [
        range(first, min(first + len(LOOKS), len(drawable))) for first in range(0, len(drawable), len(LOOKS))
    ]
    for number, group in enumerate(groups[:_MOST_ALIKE], 1):
        shown = [Ratios(drawable[at][0], LOOKS[at % len(LOOKS)], drawable[at][1]) for at in group]
        title = _BY_BLOCK if len(groups) == 1 else f"{_BY_BLOCK} ({number} of {len(groups)})"
        yield block_ratios(f"blocks-{number}", title, shown)
    if len(groups) > _MOST_ALIKE:
        yield Absent(
            f"More of: {_BY_BLOCK}", f"{_MOST_ALIKE} of one kind are drawn; the table has the others"
        )
