"""The page of a comparison: two stored runs, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from analysis.load_side import load_side
from analysis.plots.forest import Line, forests
from analysis.plots.picture import Absent, Picture
from analysis.report.definitions import definitions, limits
from analysis.report.page import rendered
from analysis.report.rows import Table
from analysis.runs.comparison import Compared, Comparison, summary_of
from analysis.table import amount, effect, setting, span
from results.run import Run

#: Two runs are always compared at this confidence, whatever their own terms.
_INTERVAL = "95% interval"


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


@dataclass(frozen=True, slots=True)
class TwoSides:
    """What the page of two sides says, whichever way they were measured.

    ``made`` has a moment (UTC, ISO 8601) and the word before it. ``gates`` are kind, word, name and what came
    of it. ``doubts`` has headings with their phrases; ``no_doubt`` is said where there are none.
    """

    kicker: str
    suite: str
    made: Sequence[tuple[str, str]]
    sentence: str
    gates: Sequence[tuple[str, str, str, str]]
    doubts: Sequence[tuple[str, Sequence[str]]]
    no_doubt: str
    pictures: Sequence[Picture | Absent]
    note: str
    interval: str
    rows: Sequence[Row]
    sides: Table
    limits: Sequence[str]
    footer: str


def two_sides_html(page: TwoSides) -> str:
    """The page."""
    return rendered(
        "comparison.html",
        {
            "kicker": page.kicker,
            "suite": page.suite,
            "made": page.made,
            "sentence": page.sentence,
            "gates": page.gates,
            "told_apart": [row for row in page.rows if row.kind in {"worse", "better"}],
            "stands_in_the_way": page.doubts,
            "anything_stands_in_the_way": any(phrases for _, phrases in page.doubts),
            "nothing_stands_in_the_way": page.no_doubt,
            "pictures": page.pictures,
            "note": page.note,
            "interval": page.interval,
            "rows": page.rows,
            "figures": list(dict.fromkeys(row.figure for row in page.rows)),
            "kinds": list(dict.fromkeys(row.kind for row in page.rows)),
            "sides": page.sides,
            "meanings": _meanings(),
            "limits": page.limits,
            "footer": page.footer,
        },
    )


def _meanings() -> Table:
    return Table(
        "What the figures mean",
        ["figure", "is", "better", "definition"],
        [[", ".join(item.figures), item.meaning, item.better, item.id] for item in definitions()],
        frozenset({1, 2, 3}),
    )


def comparison_html(comparison: Comparison, base: Run, head: Run) -> str:
    """The page of two runs, whose rows and phrases are those that `compare` prints."""
    return two_sides_html(
        TwoSides(
            kicker="streamgauge comparison",
            suite=head.header.suite,
            made=[(base.header.created_utc, "base "), (head.header.created_utc, "head ")],
            sentence=summary_of(comparison),
            gates=[],
            doubts=[
                ("cannot be compared", comparison.gaps),
                ("changed", comparison.changed),
                ("doubtful", comparison.doubts),
                ("left out", comparison.left_out),
            ],
            no_doubt="Nothing: the same machine, programs, suite and cases.",
            pictures=forests(partial(_lines, comparison), _INTERVAL, " in both runs"),
            note="Base and head are the ratios to each run's own whole form (memory: the differences); of a "
            "case without one, the figures themselves.",
            interval=_INTERVAL,
            rows=[_row(number, line) for number, line in enumerate(comparison.lines)],
            sides=_sides(comparison, base, head),
            limits=limits(*((run.header, load_side(run)) for run in (base, head))),
            footer="Made by streamgauge from two stored runs.",
        )
    )


def _row(number: int, line: Compared) -> Row:
    found, figure = line.screened, line.figure
    sides = [
        amount(value, figure.unit) if line.absolute else effect(value, figure)
        for value in (found.base, found.head)
    ]
    return Row(
        anchor=f"row-{number}",
        case=line.label,
        figure=figure.name,
        base=sides[0],
        head=sides[1],
        estimate=effect(found.estimate, figure),
        sort_estimate=found.estimate,
        interval=span(found.low, found.high, figure),
        blocks=f"{found.base_blocks}, {found.head_blocks}",
        kind=found.kind.value.split()[0],
        verdict=found.kind.value,
        reason=("the figures themselves; " if line.absolute else "") + found.reason,
    )


def _lines(comparison: Comparison, name: str) -> list[Line]:
    found = [(item.label, item.screened) for item in comparison.lines if item.figure.name == name]
    lines = [Line.drawable(label, one.kind, one.estimate, one.low, one.high) for label, one in found]
    return [line for line in lines if line is not None]


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
        [[name, setting(was), setting(now)] for name, was, now in values],
        frozenset({1, 2}),
    )
