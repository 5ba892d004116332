"""The colours of pictures and pages can be told from what they stand on."""

from __future__ import annotations

from typing import Literal

import pytest

from analysis.plots.colours import SHADES


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_told_from_the_paper(scheme: Literal["light", "dark"]) -> None:
    """A contrast of 4.5 at least (WCAG 2.2, 1.4.3), of lines and marks 3 (1.4.11)."""
    paper = _luminance(getattr(SHADES["paper"], scheme))
    for role, least in (("ink", 4.5), ("muted", 4.5), *((f"c{n}", 4.5) for n in range(1, 7)), ("base", 3.0)):
        other = _luminance(getattr(SHADES[role], scheme))
        contrast = (max(paper, other) + 0.05) / (min(paper, other) + 0.05)
        assert contrast >= least, (role, contrast)
    for number in range(7):
        ink, cell = (_luminance(getattr(SHADES[role], scheme)) for role in ("ink", f"heat{number}"))
        assert (max(ink, cell) + 0.05) / (min(ink, cell) + 0.05) >= 4.5, number


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_no_two_roles_are_drawn_alike() -> None:
    assert len({shade.light for shade in SHADES.values()}) == len(SHADES)
