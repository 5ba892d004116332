"""Each block's ratio to the baseline, as its distance from the case's estimate: drift and outliers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis.plots.drawing import Look, drawn, legend, plain, shown
from analysis.plots.picture import Picture
from analysis.table import digits, times
from results.metrics import FIGURES

#: The figures that are drawn, with what they are called.
DRAWN = {"ttfb_p50": "TTFB p50", "throughput": "throughput"}


@dataclass(frozen=True, slots=True)
class Ratios:
    """One case's (or control's) ratios to its baseline by block, for each figure of `DRAWN`."""

    name: str
    look: Look
    by_figure: Mapping[str, Mapping[int, float]]


def block_ratios(name: str, title: str, cases: Sequence[Ratios]) -> Picture:
    """The ratio of each block over the median ratio of its case; a figure that no case has is left out."""
    return drawn(
        name,
        title,
        "Each point is one block's ratio, as its distance from the case's own median. Level lines are a "
        "steady machine, a slope is drift, a lone spike is an outlier; the shaded band is within the margin.",
        " ".join(_told(case, figure) for figure in DRAWN for case in cases if case.by_figure[figure]),
        height_in=3.4,
        draw=lambda figure: _draw(figure, cases),
    )


def _draw(figure: Figure, cases: Sequence[Ratios]) -> None:
    names = [name for name in DRAWN if any(case.by_figure[name] for case in cases)]
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        plain(axes, title=DRAWN[name], x="block")
        margin = FIGURES[name].margin.share
        axes.axhspan(-margin, margin, color=cases[0].look.colour, alpha=0.12, linewidth=0)
        for case in cases:
            _line(axes, case.by_figure[name], case.look)
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.yaxis.set_major_formatter(
            FuncFormatter(lambda value, _: f"{100 * value:+.3g}%" if value else "0")
        )
    legend(figure, [shown(case.name) for case in cases], [case.look for case in cases])


def _line(axes: Axes, ratios: Mapping[int, float], look: Look) -> None:
    if not ratios:  # of this case; others have some
        return
    middle = median(ratios.values())
    axes.plot(
        [block + 1 for block in ratios],
        [ratio / middle - 1 for ratio in ratios.values()],
        color=look.colour,
        linestyle=look.dash,
        marker=look.marker,
        markersize=4,
        linewidth=1.1,
    )


def _told(case: Ratios, figure: str) -> str:
    ratios = case.by_figure[figure]
    middle = median(ratios.values())
    block, worst = max(ratios.items(), key=lambda item: abs(item[1] / middle - 1))
    return (
        f"{shown(case.name)}, {DRAWN[figure]}: median ratio {times(middle)} over {len(ratios)} blocks; block "
        f"{block + 1} is furthest from it, by {digits(100 * (worst / middle - 1))}%."
    )
