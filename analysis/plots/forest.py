"""Head over base for each case in one figure, with intervals: of two runs, or of an ab."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from analysis.plots.drawing import LOOKS, Look, drawn, plain, shown
from analysis.plots.picture import Absent, Picture
from analysis.table import times
from analysis.verdicts.judgement import Kind
from results.metrics import FIGURES

_LOOKS = {
    Kind.WORSE: Look("c2", marker="^"),
    Kind.BETTER: Look("c1", marker="v"),
    Kind.SAME: Look("base", marker="s"),
}
#: The figures that are drawn.
_COMPARED = {"ttfb_p50": "TTFB p50", "throughput": "throughput", "cpu_per_mb": "CPU per MB"}
_MOST_LINES = 40


@dataclass(frozen=True, slots=True)
class Line:
    """The ratio head / base of one case, with its interval."""

    name: str
    kind: Kind
    estimate: float
    low: float
    high: float

    @classmethod
    def drawable(
        cls, name: str, kind: Kind, estimate: float | None, low: float | None, high: float | None
    ) -> Line | None:
        """The same; None where there is no interval, or none that a logarithmic axis could show."""
        if estimate is None or low is None or high is None or not (low > 0 and math.isfinite(high)):
            return None
        return cls(name, kind, estimate, low, high)


def forests(lines: Callable[[str], Sequence[Line]], interval_is: str, without: str) -> list[Picture | Absent]:
    """One for each figure that is compared, of its ``lines``; ``without`` says where there are none."""
    found: list[Picture | Absent] = []
    for name, heading in _COMPARED.items():
        title, shown_lines = f"Head over base: {heading}", lines(name)[:_MOST_LINES]
        if shown_lines:
            margin = FIGURES[name].margin.share
            found.append(forest(f"forest-{name}", title, shown_lines, margin, interval_is))
        else:
            found.append(Absent(title, f"no case has an interval of {name}{without}"))
    return found


def forest(name: str, title: str, lines: Sequence[Line], margin: float, interval_is: str) -> Picture:
    """A row for each case; ``margin`` is the share within which both are the same."""
    return drawn(
        name,
        title,
        f"Each bar is the head over the base with its {interval_is}: one that lies wholly outside of the "
        "shaded margin is a difference, one that reaches across its edge is undecided.",
        " ".join(
            f"{shown(line.name)}: {times(line.estimate)} ({times(line.low)} to {times(line.high)}), "
            f"{line.kind}."
            for line in lines
        ),
        height_in=1.0 + 0.3 * len(lines),
        draw=lambda figure: _draw(figure, lines, margin),
    )


def _draw(figure: Figure, lines: Sequence[Line], margin: float) -> None:
    axes = figure.subplots()
    plain(axes, x="head / base")
    axes.axvspan(1 / (1 + margin), 1 + margin, color=LOOKS[0].colour, alpha=0.12, linewidth=0)
    for row, line in enumerate(lines):
        look = _LOOKS.get(line.kind, Look("c5"))
        axes.hlines([row], [line.low], [line.high], color=look.colour, linewidth=1.8)
        axes.plot([line.estimate], [row], color=look.colour, marker=look.marker, markersize=6)
    ends = [end for line in lines for end in (line.low, line.high)]
    if (factor := max(ends) / min(ends)) > 4:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=_subs(factor), numticks=15))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: times(value)))
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.set_yticks(range(len(lines)), [f"{shown(line.name)}  {line.kind}" for line in lines])


def _subs(factor: float) -> Sequence[float]:
    """Where within a decade ticks stand, on a logarithmic axis that spans this factor."""
    if factor < 30:
        return (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
    return (1.0, 2.0, 5.0) if factor < 1000 else (1.0,)
