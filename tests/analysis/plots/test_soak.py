"""The picture of a soak draws each part's floor and a line of the window's own slope."""

from __future__ import annotations

import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from analysis.growth import ARENA_BYTES, WARMUP_PARTS, fitted, growth_of
from analysis.plots.soak import Window, memory_over_a_soak
from analysis.trial.floors import PARTS
from results.floors import MemoryFloor
from results.records import MemorySample
from tests.analysis.plots.reading import description_of, points_of
from tests.results.examples import STREAM

SECOND = 1_000_000_000
MIB = 2**20
OPENED = 7 * SECOND


def window(part_bytes: int) -> Window:
    """A part a second with ten responses; so many bytes more in each, and two samples of two processes."""
    floors = [
        MemoryFloor(part, OPENED + part * SECOND + SECOND // 2, 10 * part + 5, 30 * MIB + part * part_bytes)
        for part in range(PARTS)
    ]
    samples = [
        MemorySample(pid, OPENED + part * SECOND + offset, 15 * MIB + part * part_bytes // 2 + offset % 7)
        for pid in (1, 2)
        for part in range(PARTS)
        for offset in (SECOND // 3, SECOND // 2)
    ]
    return Window(samples, floors, OPENED, OPENED + PARTS * SECOND)


def test_bars_are_floors_and_the_line_has_the_slope(figures: list[Figure]) -> None:
    windows = [window(3 * MIB), window(3 * MIB)]
    growth = growth_of("orders", STREAM, [fitted(item.floors) for item in windows])
    made = memory_over_a_soak("soak-1", "Soak", growth, windows, whole=False)
    (axes,) = figures[0].axes
    first, _ = (item for item in axes.collections if isinstance(item, LineCollection))
    bars = [[tuple(point) for point in segment] for segment in first.get_segments()]
    level = (PARTS // 3) * 3 * MIB
    assert bars == [
        [(part * SECOND, part * 3 * MIB - level), ((part + 1) * SECOND, part * 3 * MIB - level)]
        for part in range(PARTS)
    ]
    line = points_of(axes.lines[0])
    assert [x for x, _ in line] == [(part + 0.5) * SECOND for part in range(WARMUP_PARTS, PARTS)]
    assert [y for _, y in line] == pytest.approx([3 * MIB * n for n in range(PARTS - WARMUP_PARTS)])
    assert "retained +307 KiB for each response (95% interval" in made.what_to_see
    assert "grows" in made.what_to_see
    assert "over 2 windows. Window 1: from +42 MiB to +63 MiB in 70 responses." in description_of(made)


def test_noise_is_not_drawn_as_mountains(figures: list[Figure]) -> None:
    level = window(10)
    growth = growth_of("orders", STREAM, [fitted(level.floors)])
    memory_over_a_soak("soak-1", "Soak", growth, [level], whole=True)
    low, high = figures[0].axes[0].get_ylim()
    assert low <= -ARENA_BYTES
    assert high >= ARENA_BYTES
