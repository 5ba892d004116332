"""The colours of pictures and pages, for light and for dark.

Series are told apart by dash and marker too. Source of the series' hues: M. Okabe and K. Ito, "Color
Universal Design" (2008); those too pale on white are darker here, those too dark on black lighter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Shade:
    """One colour by its role: on a light page and on a dark one."""

    light: str
    dark: str


#: By role. The light ones are what pictures are drawn with, and no two of them are the same.
SHADES: Final[Mapping[str, Shade]] = MappingProxyType(
    {
        "ink": Shade("#1b1f24", "#e6e9ed"),
        "muted": Shade("#57606a", "#9aa4af"),
        "grid": Shade("#dfe3e8", "#343b44"),
        "paper": Shade("#ffffff", "#14181d"),
        "base": Shade("#6e7681", "#8b949e"),
        "c1": Shade("#0072b2", "#56b4e9"),
        "c2": Shade("#c25500", "#f28e3c"),
        "c3": Shade("#00825f", "#2fc69a"),
        "c4": Shade("#a8487f", "#e19bc4"),
        "c5": Shade("#8a6d00", "#e6c229"),
        "c6": Shade("#5b3fa0", "#b39ddb"),
        "heat0": Shade("#5ba3d0", "#22699a"),
        "heat1": Shade("#8cc3e0", "#1d5c83"),
        "heat2": Shade("#d3e8f3", "#173c54"),
        "heat3": Shade("#f1f1ef", "#2a2f36"),
        "heat4": Shade("#fbe0c3", "#573613"),
        "heat5": Shade("#f5b26b", "#7d4711"),
        "heat6": Shade("#e88a3a", "#a0500c"),
    }
)


def light(role: str) -> str:
    """The colour that a picture is drawn with."""
    return SHADES[role].light


def variables() -> str:
    """CSS: each colour as a variable, with the dark ones where the reader prefers dark."""
    bright = "".join(f"--{role}:{shade.light};" for role, shade in SHADES.items())
    dim = "".join(f"--{role}:{shade.dark};" for role, shade in SHADES.items())
    return (
        f":root{{color-scheme:light dark;{bright}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{{dim}}}}}\n"
        f"@media print{{:root{{color-scheme:light;{bright}}}}}\n"
    )


def classes() -> str:
    """CSS: the classes that pictures carry in place of colours."""
    return "".join(
        f".{attribute}-{role}{{{attribute}:var(--{role})}}\n"
        for role in SHADES
        for attribute in ("fill", "stroke")
    )
