"""TTFB of single requests: empirical distributions, on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from analysis.plots.drawing import Look, drawn, in_unit, legend, plain, shown
from analysis.plots.picture import Picture
from analysis.table import amount
from results.metrics import Unit

_MOST_POINTS = 240
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many requests had a TTFB (ns) of at most so much: shares (0 to 1) and the quantiles at them."""

    requests: int
    shares: Floats
    quantiles_ns: Floats

    def at(self, share: float) -> float:
        """The quantile at a share."""
        return float(np.interp(share, self.shares, self.quantiles_ns))


def distribution(values: npt.NDArray[np.int64]) -> Distribution | None:
    """The distribution of these TTFBs (ns), thinned; both tails keep more points. None without values."""
    if not values.size:
        return None
    ordered = np.sort(values)
    curve = (1 - np.cos(np.linspace(0, np.pi, min(_MOST_POINTS, values.size)))) / 2
    at = np.unique(np.rint(curve * (values.size - 1)).astype(np.int64))
    return Distribution(values.size, (at + 1) / values.size, ordered[at].astype(np.float64))


def first_bytes(name: str, title: str, curves: Sequence[tuple[str, Look, Distribution]]) -> Picture:
    """One curve for each case under its name."""
    return drawn(
        name,
        title,
        "The further left, the sooner; a steep curve is a steady first byte, a long foot to the right is a "
        "tail that medians hide. Requests of all valid trials together: to be looked at, no verdict rests "
        "on it.",
        " ".join(
            f"{shown(label)}: of {curve.requests:,} requests half had their first byte within "
            f"{amount(curve.at(0.5), Unit.NANOSECONDS)}, 95% within "
            f"{amount(curve.at(0.95), Unit.NANOSECONDS)}, the slowest after "
            f"{amount(float(curve.quantiles_ns[-1]), Unit.NANOSECONDS)}."
            for label, _, curve in curves
        ),
        height_in=3.6,
        draw=lambda figure: _draw(figure, curves),
    )


def _draw(figure: Figure, curves: Sequence[tuple[str, Look, Distribution]]) -> None:
    axes = figure.subplots()
    plain(axes, x="TTFB", y="share of the requests")
    for _, look, curve in curves:
        axes.step(
            curve.quantiles_ns,
            curve.shares,
            where="post",
            color=look.colour,
            linestyle=look.dash,
            linewidth=1.6,
        )
    axes.set_ylim(0, 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 0.95], ["0", "25%", "50%", "75%", "95%"])
    in_unit(axes, "x", Unit.NANOSECONDS, log=True)
    legend(figure, [shown(label) for label, _, _ in curves], [look for _, look, _ in curves], markers=False)
