"""The page of a comparison: two stored runs, side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.plots.forest import Line, forest
from analysis.plots.picture import Absent, Picture
from analysis.report.page import rendered
from analysis.report.rows import Table, told
from analysis.runs.comparison import Compared, Comparison, summary_of
from analysis.table import amount, effect
from results.metrics import FIGURES
from results.run import Run

#: The figures that are drawn.
_DRAWN = {"ttfb_p50": "TTFB p50", "throughput": "throughput", "cpu_per_mb": "CPU per MB"}
_MOST_LINES = 40


@dataclass(frozen=True, slots=True)
class Row:
    """One case in one figure, as text; ``kind`` is what the verdict is."""

    anchor: str
    case: str
    figure: str
    base: str
    head: str
    estimate: str
    sort_estimate: float | None
    interval: str
    blocks: str
    kind: str
    verdict: str
    reason: str


def comparison_html(comparison: Comparison, base: Run, head: Run) -> str:
    """The page, whose rows and phrases are those that `compare` prints."""
    rows = [_row(number, line) for number, line in enumerate(comparison.lines)]
    return rendered(
        "comparison.html",
        {
            "comparison": comparison,
            "stands_in_the_way": [
                ("cannot be compared", comparison.gaps),
                ("changed", comparison.changed),
                ("doubtful", comparison.doubts),
                ("left out", comparison.left_out),
            ],
            "base": base.header,
            "head": head.header,
            "sentence": summary_of(comparison),
            "told_apart": [row for row in rows if row.kind in {"worse", "better"}],
            "rows": rows,
            "pictures": _pictures(comparison),
            "sides": _sides(comparison, base, head),
            "figures": list(dict.fromkeys(row.figure for row in rows)),
            "kinds": list(dict.fromkeys(row.kind for row in rows)),
        },
    )


def _row(number: int, line: Compared) -> Row:
    found, figure = line.screened, line.figure
    sides = [
        amount(value, figure.unit) if line.absolute else effect(value, figure)
        for value in (found.base, found.head)
    ]
    ends = "" if found.low is None else f"{effect(found.low, figure)} to {effect(found.high, figure)}"
    return Row(
        anchor=f"row-{number}",
        case=line.label,
        figure=figure.name,
        base=sides[0],
        head=sides[1],
        estimate=effect(found.estimate, figure),
        sort_estimate=found.estimate,
        interval=ends,
        blocks=f"{found.base_blocks}, {found.head_blocks}",
        kind=found.kind.value.split()[0],
        verdict=found.kind.value,
        reason=("the figures themselves; " if line.absolute else "") + found.reason,
    )


def _pictures(comparison: Comparison) -> list[Picture | Absent]:
    found: list[Picture | Absent] = []
    for name, heading in _DRAWN.items():
        lines = [line for item in comparison.lines if (line := _line(item, name)) is not None]
        title = f"Head over base: {heading}"
        if lines:
            margin = FIGURES[name].margin.share
            found.append(forest(f"forest-{name}", title, lines[:_MOST_LINES], margin))
        else:
            found.append(Absent(title, f"no case has an interval of {name} in both runs"))
    return found


def _line(item: Compared, name: str) -> Line | None:
    found = item.screened
    if item.figure.name != name or found.estimate is None or found.low is None or found.high is None:
        return None
    if not (found.low > 0 and math.isfinite(found.high)):
        return None
    return Line(item.label, found.kind, found.estimate, found.low, found.high)


def _sides(comparison: Comparison, base: Run, head: Run) -> Table:
    """What each run is, side by side."""
    values: Sequence[tuple[str, object, object]] = [
        ("run", base.header.run_id, head.header.run_id),
        ("made", base.header.created_utc, head.header.created_utc),
        ("commit of the app", *comparison.commits),
        ("suite", base.header.suite, head.header.suite),
        ("blocks", base.header.blocks, head.header.blocks),
        ("seed", base.header.seed, head.header.seed),
        ("streamgauge", base.header.version, head.header.version),
    ]
    before, after = base.header.environment, head.header.environment
    values = [*values, *((name, before.get(name), after.get(name)) for name in {**before, **after})]
    return Table(
        "The two runs",
        ["what", "base", "head"],
        [[name, told(was), told(now)] for name, was, now in values],
        frozenset({1, 2}),
    )
