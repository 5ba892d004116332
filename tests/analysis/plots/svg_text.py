"""An inlined SVG, read back: what it says, and where its lines go."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from analysis.plots.picture import Picture

_NS = "{http://www.w3.org/2000/svg}"


def root_of(picture: Picture) -> ET.Element:
    return ET.fromstring(picture.svg)


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
