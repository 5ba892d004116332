"""The waterfall: when the bytes of one response arrived, built whole and streamed, over the app's yields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from analysis.plots.drawing import LOOKS, WHOLE, Look, drawn, in_unit, legend, plain, shown
from analysis.plots.picture import Picture
from analysis.table import amount
from results.metrics import Unit
from results.trace import PointArray, Waterfall

#: Steps closer than this share of the picture cannot be told apart.
_FINEST = 1 / 1500


@dataclass(frozen=True, slots=True)
class Fall:
    """One traced response under its case's name; ``note`` is what its trace cannot show."""

    name: str
    waterfall: Waterfall
    note: str | None = None


def waterfall(name: str, title: str, whole: Fall | None, streamed: Fall) -> Picture:
    """The traced responses of one target; ``whole`` is null where it was not traced."""
    falls = [(item, look) for item, look in ((whole, WHOLE), (streamed, LOOKS[0])) if item is not None]
    return drawn(
        name,
        title,
        _what_to_see(whole, streamed) + (f" Of the stream: {streamed.note}." if streamed.note else ""),
        " ".join(_told(item) for item, _ in falls),
        height_in=4.0,
        draw=lambda figure: _draw(figure, falls),
    )


def _draw(figure: Figure, falls: Sequence[tuple[Fall, Look]]) -> None:
    end = max(_last(item) for item, _ in falls)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[4, 0.5 * len(falls)])
    plain(top, y="bytes at the client")
    plain(bottom, x="time since the request was sent")
    for row, (item, look) in enumerate(falls):
        reads, yields = item.waterfall.reads, item.waterfall.yields
        thin = _apart(reads[:, 1], end)
        top.step(
            np.concatenate([[0], reads[thin, 1], [end]]),
            np.concatenate([[0], reads[thin, 2], reads[-1:, 2]]),
            where="post",
            color=look.colour,
            linestyle=look.dash,
            linewidth=1.8,
        )
        _rug(bottom, yields, look, row, end)
    top.set_xlim(0, end * 1.02)
    top.set_ylim(bottom=0)
    bottom.set_ylim(len(falls) - 0.4, -0.6)
    bottom.set_yticks(
        range(len(falls)), ["yields, whole", "yields, streamed"] if len(falls) > 1 else ["yields"]
    )
    bottom.grid(visible=False)
    in_unit(top, "y", Unit.BYTES)
    in_unit(bottom, "x", Unit.NANOSECONDS)
    legend(figure, [shown(item.name) for item, _ in falls], [look for _, look in falls], markers=False)


def _rug(axes: Axes, yields: PointArray, look: Look, row: int, end: float) -> None:
    """A stroke for each yield that delivered something."""
    instants = yields[_apart(yields[:, 1], end), 1]
    vertices = [(float(at), row + half) for at in instants for half in (-0.32, 0.32)]
    path = Path(vertices, [Path.MOVETO, Path.LINETO] * len(instants))
    axes.add_patch(PathPatch(path, fill=False, edgecolor=look.colour, linewidth=1.1))


def _apart(instants: npt.NDArray[np.int64], end: float) -> npt.NDArray[np.intp]:
    """The last point of each stretch that the eye cannot divide."""
    cells = (instants / (end * _FINEST)).astype(np.int64)
    last: npt.NDArray[np.intp] = np.flatnonzero(np.append(cells[1:] != cells[:-1], True))
    return last


def _last(item: Fall) -> float:
    return float(max(item.waterfall.reads[-1, 1], item.waterfall.yields[-1, 1]))


def _first(item: Fall) -> float:
    """When the first read with content came: a compressor's header is none."""
    reads = item.waterfall.reads
    return float(reads[np.argmax(reads[:, 2] > 0), 1])


def _what_to_see(whole: Fall | None, streamed: Fall) -> str:
    first, last = (amount(value, Unit.NANOSECONDS) for value in (_first(streamed), _last(streamed)))
    begin = f"The stream's bytes are there from {first} on, all of them after {last}"
    if whole is None:
        return f"{begin}; each stroke beneath is a yield of the app."
    return (
        f"{begin}; of the whole form nothing arrives before {amount(_first(whole), Unit.NANOSECONDS)}. Each "
        "stroke beneath is a yield of the app. One traced response each, and not the timed ones."
    )


def _told(item: Fall) -> str:
    reads, yields = item.waterfall.reads, item.waterfall.yields
    return (
        f"{shown(item.name)}: {yields[-1, 0] + 1:,} yields from "
        f"{amount(float(yields[0, 1]), Unit.NANOSECONDS)} to "
        f"{amount(float(yields[-1, 1]), Unit.NANOSECONDS)}; {int(reads[-1, 2]):,} bytes arrived in "
        f"{reads[-1, 0] + 1:,} reads, the first after {amount(_first(item), Unit.NANOSECONDS)}, half of the "
        f"bytes after {amount(_half(reads), Unit.NANOSECONDS)}, the last after "
        f"{amount(float(reads[-1, 1]), Unit.NANOSECONDS)}."
    )


def _half(reads: PointArray) -> float:
    return float(reads[np.searchsorted(reads[:, 2], reads[-1, 2] / 2), 1])
