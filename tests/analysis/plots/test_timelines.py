"""The pictures of single trials and requests draw what happened when."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis.plots.drawing import LOOKS, WHOLE
from analysis.plots.first_bytes import distribution, first_bytes
from analysis.plots.memory_size import memory_over_size
from analysis.plots.memory_time import Growth, memory_over_time
from analysis.plots.waterfall import Fall, waterfall
from analysis.slope import memory_slopes
from results.records import MemorySample
from results.trace import Waterfall
from tests.analysis.plots.reading import description_of, points_of, texts_of, vertices_of
from tests.analysis.sizes import TOTALS, grown

MS = 1_000_000
MIB = 2**20


def fall(name: str, chunks: int, begin_ms: int) -> Fall:
    """Chunks of 100 bytes, one a millisecond, each read half a millisecond after its yield."""
    number = np.arange(chunks)
    yields = np.stack([number, MS * (begin_ms + number), 100 * (number + 1)], axis=1)
    reads = np.stack([number, yields[:, 1] + MS // 2, yields[:, 2], 0 * number], axis=1)
    return Fall(name, Waterfall(1, yields, reads))


def test_a_waterfall_rises_when_bytes_arrive(figures: list[Figure]) -> None:
    made = waterfall("fall", "Fall", fall("whole", 1, 40), fall("rows=1", 10, 2))
    bytes_axes, yields_axes = figures[0].axes
    whole, streamed = bytes_axes.lines
    assert points_of(streamed) == [
        [0, 0],
        *([2.5 * MS + MS * number, 100 * (number + 1)] for number in range(10)),
        [40.5 * MS, 1000],
    ]
    assert points_of(whole) == [[0, 0], [40.5 * MS, 100], [40.5 * MS, 100]]
    strokes = [{x for x, _ in vertices_of(patch)} for patch in yields_axes.patches]
    assert strokes == [{40 * MS}, {MS * (2 + number) for number in range(10)}]
    assert "The stream's bytes are there from 2.5 ms on, all of them after 11.5 ms" in made.what_to_see
    assert "nothing arrives before 40.5 ms" in made.what_to_see
    assert (
        "rows=1: 10 yields from 2 ms to 11 ms; 1,000 bytes arrived in 10 reads, the first after 2.5 ms, half "
        "of the bytes after 6.5 ms, the last after 11.5 ms."
    ) in description_of(made)


def test_a_waterfall_of_many_points_is_thinned_and_keeps_its_end(figures: list[Figure]) -> None:
    long = fall("rows=1", 20_000, 2)
    waterfall("fall", "Fall", None, long)
    (line,) = figures[0].axes[0].lines
    points = points_of(line)
    assert len(points) < 1600
    assert points[-1] == [(2 + 19_999) * MS + MS // 2, 2_000_000]
    true = {(float(at), float(size)) for _, at, size, _ in long.waterfall.reads}
    assert {(x, y) for x, y in points[1:]} <= true


def test_first_bytes_are_the_shares_of_the_requests(figures: list[Figure]) -> None:
    found = distribution(np.arange(1, 101) * MS)
    assert found is not None
    made = first_bytes("cdf", "TTFB", [("whole", WHOLE, found), ("rows=1", LOOKS[0], found)])
    axes = figures[0].axes[0]
    line = axes.lines[1]
    assert points_of(line) == [
        [pytest.approx(milliseconds * MS), pytest.approx(milliseconds / 100)]
        for milliseconds in np.rint(found.quantiles_ns / MS)
    ]
    assert axes.get_xscale() == "log"
    assert (
        "rows=1: of 100 requests half had their first byte within 50 ms, 95% within 95 ms, the slowest"
        in (description_of(made))
    )


def test_a_distribution_of_many_is_thin_and_keeps_its_ends() -> None:
    values = np.random.default_rng(1).permutation(np.arange(1, 100_001))
    found = distribution(values)
    assert found is not None
    assert found.requests == 100_000
    assert len(found.shares) <= 240
    assert (found.quantiles_ns[0], found.quantiles_ns[-1]) == (1, 100_000)
    for share in (0.01, 0.5, 0.95, 0.99):
        assert found.at(share) == pytest.approx(share * 100_000, rel=1e-3)
    assert distribution(np.array([], dtype=np.int64)) is None


def growth(name: str, peak_mib: int, seen_mib: int) -> Growth:
    samples = [MemorySample(8, 1000 * MS + MS * at, 30 * MIB + seen_mib * MIB * at // 10) for at in range(11)]
    return Growth(name, samples, 30 * MIB, (30 + peak_mib) * MIB, 1002 * MS, 1008 * MS)


def test_memory_over_time_has_the_samples_and_the_mark_that_they_missed(figures: list[Figure]) -> None:
    made = memory_over_time("memory", "Memory", growth("whole", 5, 5), growth("rows=1", 3, 1))
    (axes,) = figures[0].axes
    whole, whole_mark, streamed, mark = axes.lines
    assert points_of(streamed) == [[MS * (at - 2), MIB * at // 10] for at in range(11)]
    assert points_of(whole)[-1] == [8 * MS, 5 * MIB]
    assert {y for _, y in points_of(whole_mark)} == {5 * MIB}
    assert {y for _, y in points_of(mark)} == {3 * MIB}
    (window,) = axes.patches
    assert {x for x, _ in vertices_of(window)} == {0, 6 * MS}
    assert "rows=1: 2 MiB of 3 MiB unseen" in texts_of(made)
    assert "2 MiB of the peak of rows=1 lie between two samples" in made.what_to_see
    assert "rows=1: the worker grew by 3 MiB at its peak; 11 samples missed 2 MiB of it." in (
        description_of(made)
    )


def test_memory_over_time_says_where_nothing_was_missed() -> None:
    made = memory_over_time("memory", "Memory", None, growth("rows=1", 1, 1))
    assert "In these trials the samples saw the peaks too." in made.what_to_see


def test_memory_over_size_draws_the_medians_and_says_the_slope(figures: list[Figure]) -> None:
    (slope,) = memory_slopes(grown(lambda length, block: 0.5 * length + MIB + 1000 * (block % 2)))
    made = memory_over_size("sizes", "Sizes", [slope])
    (axes,) = figures[0].axes
    medians = axes.lines[-1]
    assert points_of(medians) == [[100 * total, pytest.approx(50 * total + MIB + 500)] for total in TOTALS]
    assert "0.500 B held for each byte" in made.what_to_see
    assert "constant" not in made.what_to_see.split(".", 1)[1]
