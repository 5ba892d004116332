"""The pictures of figures over blocks, buffers and servers draw the values that they were given."""

from __future__ import annotations

import itertools
from statistics import median

import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from analysis.plots.block_ratios import Ratios, block_ratios
from analysis.plots.buffer_curves import Point, Seen, buffer_curves, spread
from analysis.plots.colours import light
from analysis.plots.drawing import CONTROL, LOOKS
from analysis.plots.forest import Line, forest
from analysis.plots.heat_map import Grid, heat_map
from analysis.verdicts.judgement import Kind
from tests.analysis.plots.reading import description_of, points_of, segments_of, texts_of

MS = 1e6
NOISE = [1.002, 0.994, 1.009, 1.0, 0.991, 1.005, 0.997, 1.003]


def values(ttfb_ms: float, rate: float) -> dict[str, list[float]]:
    return {
        "ttfb_p50": [ttfb_ms * MS * noise for noise in NOISE],
        "throughput": [rate * noise for noise in NOISE],
        "cpu_per_mb": [],
        "peak_memory": [2**20 * noise for noise in NOISE],
    }


POINTS = [
    Point("rows=1", 93, values(1, 10e6), recommended=False),
    Point("rows=500", 46_500, values(2, 31e6), recommended=True),
]


def test_buffer_curves_draw_medians_over_bytes_with_intervals_and_the_whole_form(
    figures: list[Figure],
) -> None:
    made = buffer_curves("buffers", "Buffers", POINTS, values(50, 30e6), Seen.ON_THE_WIRE)
    ttfb, throughput, memory, hidden = figures[0].axes
    assert not hidden.get_visible()  # no case has CPU: no picture of it
    for axes, name in ((ttfb, "ttfb_p50"), (throughput, "throughput"), (memory, "peak_memory")):
        middles = [[point.chunk_bytes, median(point.values[name])] for point in POINTS]
        assert middles in [points_of(line) for line in axes.lines]
        for segment, point in zip(segments_of(axes), POINTS, strict=True):
            low, high = spread(point.values[name])
            assert low < median(point.values[name]) < high
            assert segment == [[point.chunk_bytes, low], [point.chunk_bytes, high]]
        (ring,) = (line for line in axes.lines if line.get_color() == light("c2"))
        assert points_of(ring) == middles[1:]
        assert axes.get_xscale() == "log"
    assert ttfb.get_yscale() == "log"
    assert throughput.get_ylim()[0] == 0
    assert made.what_to_see.startswith("From rows=1 to rows=500 the first byte goes from 1 ms to 2 ms")
    assert "the recommended one, rows=500" in made.what_to_see
    description = description_of(made)
    assert "rows=500 with 45.4 KiB a chunk 31 MB/s (30.8 MB/s to 31.2 MB/s)" in description
    assert "; whole 50 ms (" in description
    assert "CPU" not in description
    assert {"streamed", "whole", "recommended", "bytes of a chunk (median, on the wire)"} <= set(
        texts_of(made)
    )


def test_without_a_recommended_buffer_none_is_marked(figures: list[Figure]) -> None:
    points = [Point(point.name, point.chunk_bytes, point.values, recommended=False) for point in POINTS]
    made = buffer_curves("buffers", "Buffers", points, values(50, 30e6), Seen.YIELDED)
    assert "recommended" not in made.what_to_see
    assert "recommended" not in texts_of(made)
    assert "bytes of a chunk (median, as yielded)" in texts_of(made)
    assert not [line for line in figures[0].axes[0].lines if line.get_color() == light("c2")]


def test_a_spread_of_few_blocks_is_from_the_least_to_the_greatest() -> None:
    assert spread([3.0, 1.0, 2.0]) == (1.0, 3.0)


def test_block_ratios_are_distances_from_the_median_of_their_case(figures: list[Figure]) -> None:
    drifting = {block: 0.5 * (1 + block / 100) for block in (0, 1, 3, 4)}
    cases = [
        Ratios("whole (again)", CONTROL, {"ttfb_p50": {0: 1.0, 1: 1.1}, "throughput": {}}),
        Ratios("rows=1", LOOKS[0], {"ttfb_p50": drifting, "throughput": {0: 2.0, 1: 2.0, 2: 3.0}}),
    ]
    made = block_ratios("blocks", "Blocks", cases)
    ttfb, throughput = figures[0].axes
    again, rows = ttfb.lines
    middle = median(drifting.values())
    assert points_of(rows) == [  # a block without a pair is a gap in the count
        [block + 1, pytest.approx(ratio / middle - 1)] for block, ratio in drifting.items()
    ]
    assert points_of(again) == [[1, pytest.approx(-1 / 21)], [2, pytest.approx(1 / 21)]]
    (only,) = throughput.lines
    assert points_of(only) == [[1, 0], [2, 0], [3, 0.5]]
    assert "rows=1, throughput: median ratio ×2 over 3 blocks; block 3 is furthest from it, by 50%." in (
        description_of(made)
    )


def test_a_heat_map_has_a_cell_for_each_server_and_buffer(figures: list[Figure]) -> None:
    ratios = {("sync", "1"): 0.02, ("sync", "50"): 0.05, ("gthread", "1"): 1.0}
    grid = Grid("rows", ["sync", "gthread"], ["1", "50"], {"ttfb_p50": ratios, "throughput": ratios})
    made = heat_map("servers", "Servers", grid)
    ttfb, throughput = figures[0].axes
    cells = {(text.get_position()): text.get_text() for text in ttfb.texts}
    assert cells == {(0, 0): "×0.02", (1, 0): "×0.05", (0, 1): "×1", (1, 1): "–"}

    def shades(axes: Axes) -> list[str]:
        return [to_hex(patch.get_facecolor()) for patch in axes.patches]

    best, same, worst, nothing = (light(role) for role in ("heat0", "heat3", "heat6", "grid"))
    assert shades(ttfb) == [best, best, same, nothing]
    assert shades(throughput) == [worst, worst, same, nothing]  # there, more is better
    assert "sync with rows=50 ×0.05, gthread with rows=1 ×1, gthread with rows=50 –" in description_of(made)


def test_a_figure_that_no_case_has_is_not_drawn(figures: list[Figure]) -> None:
    """Where clients hang up nothing has a throughput."""
    block_ratios("b", "B", [Ratios("rows=1", LOOKS[0], {"ttfb_p50": {0: 1.0, 1: 2.0}, "throughput": {}})])
    nothing = dict.fromkeys([("sync", "1"), ("gevent", "1")])
    heat_map(
        "s",
        "S",
        Grid(
            "rows",
            ["sync", "gevent"],
            ["1"],
            {"ttfb_p50": nothing | {("sync", "1"): 0.5}, "throughput": nothing},
        ),
    )
    assert [[axes.get_title(loc="left").partition(",")[0] for axes in made.axes] for made in figures] == [
        ["TTFB p50"],
        ["TTFB p50"],
    ]


def test_many_buffers_have_room(figures: list[Figure]) -> None:
    buffers = [str(4**power) for power in range(9)]
    ratios = {("sync", buffer): 0.0123 for buffer in buffers}
    heat_map(
        "servers", "Servers", Grid("rows", ["sync"], buffers, {"ttfb_p50": ratios, "throughput": ratios})
    )
    for axes in figures[0].axes:
        boxes = [text.get_window_extent() for text in axes.texts]
        assert len(boxes) == len(buffers)
        assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))


def test_a_forest_has_a_bar_for_each_case(figures: list[Figure]) -> None:
    lines = [Line("rows=1", Kind.WORSE, 1.3, 1.2, 1.4), Line("rows=5", Kind.SAME, 1.0, 0.99, 1.01)]
    made = forest("forest", "Head over base", lines, 0.05, "95% interval")
    (axes,) = figures[0].axes
    assert segments_of(axes) == [[[1.2, 0], [1.4, 0]], [[0.99, 1], [1.01, 1]]]
    assert [points_of(line) for line in axes.lines] == [[[1.3, 0]], [[1.0, 1]]]
    assert "rows=1: ×1.3 (×1.2 to ×1.4), worse." in description_of(made)
    assert "rows=5  same" in texts_of(made)


@pytest.mark.parametrize("most", [1.1, 1.9, 3.9, 12.0, 900.0])
def test_a_forest_of_any_width_has_ticks_and_one_at_no_change(figures: list[Figure], most: float) -> None:
    forest(
        "forest",
        "Head over base",
        [Line("rows=1", Kind.UNDECIDED, 1.0, 1 / most, most)],
        0.05,
        "95% interval",
    )
    (axes,) = figures[0].axes
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert 3 <= len(ticks) <= 15
    assert any(tick == pytest.approx(1) for tick in ticks)
