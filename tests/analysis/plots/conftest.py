"""Pictures by what they draw: the axes of the figure that was saved, and the SVG that came of it."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from analysis.plots import drawing


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are drawn in this test, in their order."""
    made: list[Figure] = []
    new_figure = drawing.new_figure

    def recorded(height_in: float) -> Figure:
        made.append(new_figure(height_in))
        return made[-1]

    monkeypatch.setattr(drawing, "new_figure", recorded)
    return made
