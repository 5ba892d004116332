"""The pictures of an ab: head over base for each case with its interval, and block by block."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from analysis.ab.findings import AbFindings, AbLine
from analysis.plots.block_ratios import DRAWN, Ratios, block_ratios
from analysis.plots.drawing import LOOKS
from analysis.plots.forest import Line, forest
from analysis.plots.picture import Absent, Picture
from analysis.summary import labels
from analysis.verdicts.sides import ratios_by_block
from results.metrics import FIGURES
from results.run import Run

#: The figures that are drawn with their intervals.
_COMPARED = {"ttfb_p50": "TTFB p50", "throughput": "throughput", "cpu_per_mb": "CPU per MB"}
_MOST_LINES = 40
#: More pictures of one kind than this nobody looks at; the table has everything.
_MOST_ALIKE = 6
_BY_BLOCK = "Head over base, block by block"


def ab_pictures(findings: AbFindings, run: Run) -> list[Picture | Absent]:
    """All of them, in order; ``run`` is what the findings are of."""
    found: list[Picture | Absent] = [_forest(findings, name, heading) for name, heading in _COMPARED.items()]
    by_block = list(_by_block(run))
    return found + (by_block or [Absent(_BY_BLOCK, "no case has two valid blocks on both sides")])


def _forest(findings: AbFindings, name: str, heading: str) -> Picture | Absent:
    lines = [line for item in findings.lines if (line := _line(item, name)) is not None]
    title = f"Head over base: {heading}"
    if not lines:
        return Absent(title, f"no case has an interval of {name}")
    return forest(f"forest-{name}", title, lines[:_MOST_LINES], FIGURES[name].margin.share)


def _line(item: AbLine, name: str) -> Line | None:
    verdict = item.judged.verdict
    if verdict.figure.name != name or not verdict.estimate or verdict.low is None or verdict.high is None:
        return None
    if not (verdict.low > 0 and math.isfinite(verdict.high)):
        return None
    return Line(item.label, verdict.kind, verdict.estimate, verdict.low, verdict.high)


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
