"""A line as high as a letter draws changes, and no mountains out of noise."""

from __future__ import annotations

from analysis.sparkline import sparkline


def test_a_change_beyond_the_least_range_takes_the_whole_height() -> None:
    assert sparkline([1.0, 1.0, 3.0, 2.0], 0.1) == "▁▁█▅"


def test_noise_within_the_least_range_stays_in_the_middle() -> None:
    assert sparkline([1.0, 1.01, 0.99], 1.0) == "▅▅▄"
    assert sparkline([4.0], 1.0) == "▅"


def test_what_is_missing_is_a_gap() -> None:
    assert sparkline([1.0, None, 2.0], 0.1) == "▁ █"
    assert sparkline([None, None], 0.1) == "  "
    assert sparkline([], 0.1) == ""
