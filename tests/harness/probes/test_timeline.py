"""A timeline stays short, and forgets neither peaks nor floors."""

from __future__ import annotations

from itertools import pairwise

import pytest

from harness.probes.timeline import MOST_SAMPLES, Timeline
from results.records import MemorySample


def timeline_of(values: list[int]) -> list[MemorySample]:
    made = Timeline()
    for number, value in enumerate(values):
        made.add(MemorySample(7, number, value))
    return made.samples


def test_a_short_trial_keeps_every_sample() -> None:
    values = [37 * number % 100 for number in range(1501)]
    assert [(sample.at_ns, sample.rss_bytes) for sample in timeline_of(values)] == list(enumerate(values))


@pytest.mark.parametrize("count", [MOST_SAMPLES, 10_007, 300_000])
def test_a_long_one_keeps_few_in_order_with_its_peak_and_its_floor(count: int) -> None:
    values = [1_000] * count
    values[count // 3] = 9_000
    values[2 * count // 3] = 10
    kept = timeline_of(values)
    assert len(kept) <= MOST_SAMPLES + 2
    assert {1_000, 9_000, 10} == {sample.rss_bytes for sample in kept}
    times = [sample.at_ns for sample in kept]
    assert times == sorted(times)
    assert (times[0], times[-1]) == (0, count - 1)
    assert max(later - earlier for earlier, later in pairwise(times)) <= 8 * count / MOST_SAMPLES
