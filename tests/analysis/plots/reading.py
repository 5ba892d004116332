"""A picture, read back: what it says, and where its lines go."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.plots.picture import Picture

_NS = "{http://www.w3.org/2000/svg}"


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314  - ours


def root_of(picture: Picture) -> ET.Element:
    return parsed(picture.svg)


def texts_of(picture: Picture) -> list[str]:
    """What a reader reads in the drawing itself."""
    return [
        "".join(element.itertext())
        for element in root_of(picture).iter(f"{_NS}text")
        if "".join(element.itertext())
    ]


def description_of(picture: Picture) -> str:
    element = root_of(picture).find(f"{_NS}desc")
    assert element is not None
    assert element.text is not None
    return element.text


def ids_of(svg: str) -> list[str]:
    return re.findall(r'\sid="([^"]+)"', svg)


def paths_of(picture: Picture, css_class: str) -> list[list[tuple[float, float]]]:
    """The points of each path that has this class."""
    return [
        [(float(x), float(y)) for x, y in re.findall(r"[ML] (-?[\d.]+) (-?[\d.]+)", element.get("d", ""))]
        for element in root_of(picture).iter(f"{_NS}path")
        if css_class in element.get("class", "").split()
    ]


def points_of(line: Line2D) -> list[list[float]]:
    """The (x, y) of a line, in the units of its axes."""
    points: list[list[float]] = np.asarray(line.get_xydata(), dtype=float).tolist()
    return points


def segments_of(axes: Axes) -> list[list[list[float]]]:
    """The two ends of each bar of an interval."""
    return [
        np.asarray(segment, dtype=float).tolist()
        for bars in axes.collections
        if isinstance(bars, LineCollection)
        for segment in bars.get_segments()
    ]


def vertices_of(patch: Patch) -> list[list[float]]:
    """The corners of a patch, in the units of its axes."""
    corners: Any = np.asarray(patch.get_path().vertices, dtype=float)
    found: list[list[float]] = patch.get_patch_transform().transform(corners).tolist()
    return found
