"""Matplotlib's SVG made fit for a page: small, without styles of its own, its colours as classes.

A page whose policy allows no inline style must do without ``style`` attributes, which Matplotlib writes;
attributes of presentation (SVG 2, 6.6) say the same. Identifiers are the picture's own, so that none collide.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from analysis.plots.colours import SHADES, classes, variables

_ROLES = {shade.light: role for role, shade in SHADES.items()}
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_NUMBER = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
_FONT_SIZE = re.compile(r"([\d.]+)px")
_DROPPED = frozenset({"metadata", "style"})
#: Of no use on a page: its own font is taken, and these are the defaults.
_SILENT = frozenset({("fill-opacity", "1"), ("stroke-opacity", "1"), ("opacity", "1")})


def inlined(raw: str, name: str, title: str, description: str) -> str:
    """The SVG that Matplotlib wrote, as an element for a page, with its text alternative."""
    root = ET.fromstring(raw)  # noqa: S314
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in _DROPPED:
                parent.remove(child)
    kept = {target: f"{name}-{number}" for number, target in enumerate(_targets(root))}
    for element in root.iter():
        element.tag = _local(element.tag)
        _rewrite(element, kept)
    root.attrib = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": root.get("viewBox", ""),
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-description",
        "stroke-linejoin": "round",
    }
    for at, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ET.Element(tag, {"id": f"{name}-{'title' if tag == 'title' else 'description'}"})
        element.text = text
        root.insert(at, element)
    for element in root.iter():
        if element.tag not in {"text", "tspan", "title", "desc"}:
            element.text = None
        element.tail = None
    return ET.tostring(root, encoding="unicode")


def standalone(svg: str) -> str:
    """An inlined SVG as a file of its own, which follows the reader's light or dark by itself."""
    css = f"{variables()}{classes()}svg{{background:var(--paper)}}text{{font-family:system-ui,sans-serif}}"
    head, rest = svg.split(">", 1)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}>\n<style>{css}</style>\n{rest}\n'


def _targets(root: ET.Element) -> list[str]:
    """The identifiers that something refers to, each once."""
    found: dict[str, None] = {}
    for element in root.iter():
        for key, value in element.attrib.items():
            if _local(key) == "href":
                found[value.removeprefix("#")] = None
            elif match := _REFERENCE.search(value):
                found[match[1]] = None
    return list(found)


def _local(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]


def _rewrite(element: ET.Element, kept: dict[str, str]) -> None:
    given = {_local(key): value for key, value in element.attrib.items()}
    for part in given.pop("style", "").split(";"):
        key, _, value = part.partition(":")
        if value:
            given.setdefault(key.strip(), value.strip())
    font = given.pop("font", "")
    if font and (size := _FONT_SIZE.search(font)):
        given["font-size"] = size[1]
        if "bold" in font or " 700 " in f" {font}":
            given["font-weight"] = "bold"
    given.pop("font-family", None)
    classed = [f"{name}-{role}" for name in ("fill", "stroke") if (role := _ROLES.get(given.get(name, "")))]
    if classed:
        given["class"] = " ".join(classed)
    if (own := given.pop("id", None)) in kept:
        given["id"] = kept[own]
    element.attrib = {
        key: _NUMBER.sub(_short, _renamed(key, value, kept))
        for key, value in given.items()
        if (key, value) not in _SILENT
    }


def _renamed(key: str, value: str, kept: dict[str, str]) -> str:
    if key == "href":
        return f"#{kept[value.removeprefix('#')]}"
    return _REFERENCE.sub(lambda match: f"url(#{kept[match[1]]})", value)


def _short(match: re.Match[str]) -> str:
    return f"{float(match[0]):.2f}".rstrip("0").rstrip(".") or "0"
