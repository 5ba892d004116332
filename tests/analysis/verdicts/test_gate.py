"""Limits: how they are written, whether they could fail at all, and when they do."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.verdicts.gate import LEVEL, Limit, Pair, check_power, judge, parse_limit
from results.metrics import FIGURES, Better, Figure


def at_most(text: str, name: str = "ttfb_p50") -> Limit:
    return parse_limit(text, FIGURES[name], upper=True)


def at_least(text: str, name: str = "throughput") -> Limit:
    return parse_limit(text, FIGURES[name], upper=False)


def fails(limit: Limit, pairs: list[Pair]) -> bool:
    (result,) = judge([("it", limit, pairs)])
    return result.failed


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("20 ms", "ttfb_p50", 20e6),
        ("20ms", "ttfb_p50", 20e6),
        (" 1.5 s ", "ttlb_p95", 1.5e9),
        ("7 us", "ttfb_p50", 7e3),
        ("7 ns", "ttfb_p50", 7),
        ("0 B", "peak_memory", 0),
        ("512 B", "peak_memory", 512),
        ("3 KiB", "peak_rss", 3072),
        ("1.5 MiB", "peak_memory", 1.5 * 2**20),
        ("2 GiB", "peak_rss", 2**31),
        ("30 ns/MB", "cpu_per_mb", 30),
        ("30 us/MB", "cpu_per_mb", 30e3),
        ("30 ms/MB", "cpu_per_mb", 30e6),
        ("30 s/MB", "cpu_per_mb", 30e9),
    ],
)
def test_an_amount_is_read_in_the_figure_s_unit(text: str, name: str, value: float) -> None:
    limit = at_most(text, name)
    assert (limit.value, limit.of_baseline) == (value, False)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("5/s", "requests_per_second", 5),
        ("5 /s", "requests_per_second", 5),
        ("80 B/s", "throughput", 80),
        ("80 kB/s", "throughput", 80e3),
        ("80 MB/s", "throughput", 80e6),
        ("1 GB/s", "throughput", 1e9),
    ],
)
def test_rates_have_their_units_too(text: str, name: str, value: float) -> None:
    assert at_least(text, name).value == value


@pytest.mark.parametrize("text", ["0.5 of baseline", " 0.5  of  baseline "])
def test_a_share_of_the_baseline_is_read(text: str) -> None:
    limit = at_most(text)
    assert (limit.value, limit.of_baseline) == (0.5, True)


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("20", "ttfb_p50", ["'20'", "ttfb_p50", "0.5 of baseline", "ns, us, ms, s", '"20 s"']),
        ("20 MB", "peak_memory", ["'20 MB'", "B, KiB, MiB, GiB"]),
        ("20 ms", "peak_memory", ["'20 ms'", "B, KiB, MiB, GiB"]),
        ("-5 ms", "ttfb_p50", ["'-5 ms'"]),
        ("1e3 ms", "ttfb_p50", ["'1e3 ms'"]),
        ("nan ms", "ttfb_p50", ["'nan ms'"]),
        ("inf s", "ttfb_p50", ["'inf s'"]),
        ("50% of baseline", "ttfb_p50", ["'50% of baseline'", "0.5 of baseline"]),
        ("half of baseline", "ttfb_p50", ["'half of baseline'"]),
        ("", "ttfb_p50", ["''"]),
        ("0 of baseline", "ttfb_p50", ["can never be met"]),
        ("9" * 400 + " s", "ttfb_p50", ["too large"]),
        ("9" * 400 + " of baseline", "ttfb_p50", ["too large"]),
    ],
)
def test_what_is_no_limit_is_told_with_what_is_allowed(text: str, name: str, words: list[str]) -> None:
    with pytest.raises(ValueError, match="limit") as told:
        at_most(text, name)
    assert all(word in str(told.value) for word in words)
    assert len(str(told.value)) < 200


@pytest.mark.parametrize("text", ["0 MB/s", "0 of baseline", "0.0 of baseline"])
def test_a_limit_that_is_always_met_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cannot fail is no gate"):
        at_least(text)


@pytest.mark.parametrize("figure", FIGURES.values(), ids=lambda figure: figure.name)
def test_a_limit_on_the_good_side_is_refused(figure: Figure) -> None:
    bounded_above = figure.better is Better.LOWER
    right = "at_most" if bounded_above else "at_least"
    parse_limit("1 of baseline", figure, upper=bounded_above)
    with pytest.raises(ValueError, match=f"{figure.name} is better when it is .*limit is {right}"):
        parse_limit("1 of baseline", figure, upper=not bounded_above)


@pytest.mark.parametrize("figure", FIGURES.values(), ids=lambda figure: figure.name)
def test_the_message_s_own_example_is_a_limit(figure: Figure) -> None:
    upper = figure.better is Better.LOWER
    with pytest.raises(ValueError, match="is no limit") as told:
        parse_limit("what?", figure, upper=upper)
    share, amount = re.findall(r'"([^"]+)"', str(told.value))
    assert parse_limit(share, figure, upper=upper).of_baseline
    assert not parse_limit(amount, figure, upper=upper).of_baseline


@pytest.mark.parametrize(
    ("gates", "blocks", "needed"), [(1, 4, 5), (1, 1, 5), (2, 5, 6), (3, 5, 6), (4, 6, 7), (10, 7, 8)]
)
def test_a_family_that_could_not_fail_is_refused_with_what_it_needs(
    gates: int, blocks: int, needed: int
) -> None:
    with pytest.raises(
        ValueError, match=f"with {blocks} blocks.*at least {needed} blocks.*--blocks {needed}"
    ):
        check_power(gates, blocks)
    with pytest.raises(ValueError, match="could never fail"):
        check_power(gates, needed - 1)
    check_power(gates, needed)


@given(st.integers(1, 40), st.integers(1, 12))
def test_power_is_what_the_worst_possible_run_shows(gates: int, blocks: int) -> None:
    limit = at_most("1 ms")
    worst = [Pair(1e9 + number, 0.0) for number in range(blocks)]
    could = any(result.failed for result in judge([("it", limit, worst)] * gates))
    try:
        check_power(gates, blocks)
    except ValueError:
        assert not could
    else:
        assert could


@pytest.mark.parametrize(("gates", "blocks"), [(1, 8), (0, 1), (4, 10)])
def test_enough_blocks_and_no_gates_pass(gates: int, blocks: int) -> None:
    check_power(gates, blocks)


@pytest.mark.parametrize("drift", [[1.0] * 8, [1, 5, 2, 9, 1, 3, 7, 4]])
@pytest.mark.parametrize(("share", "failed"), [(0.4, False), (0.5, False), (0.51, True), (2.0, True)])
def test_a_case_beyond_its_share_of_the_baseline_fails(
    drift: list[float], share: float, *, failed: bool
) -> None:
    pairs = [Pair(share * level * 2**20, level * 2**20) for level in drift]
    assert fails(at_most("0.5 of baseline"), pairs) is failed
    upside_down = [Pair(pair.baseline * 0.25 / share, pair.baseline) for pair in pairs]
    assert fails(at_least("0.5 of baseline"), upside_down) is failed


@pytest.mark.parametrize(("value", "failed"), [(19e6, False), (20e6, False), (20.1e6, True)])
def test_a_case_beyond_an_amount_fails(value: float, *, failed: bool) -> None:
    assert fails(at_most("20 ms"), [Pair(value, 0.0)] * 5) is failed


def test_a_latency_beyond_an_amount_of_0_fails() -> None:
    assert fails(at_most("0 ms"), [Pair(1.0, 0.0)] * 5)


def test_one_slow_block_among_eight_does_not_fail() -> None:
    assert not fails(at_most("20 ms"), [*[Pair(15e6, 0.0)] * 7, Pair(900e6, 0.0)])


def test_no_throughput_at_all_fails() -> None:
    for limit in (at_least("1 MB/s"), at_least("0.5 of baseline")):
        assert fails(limit, [Pair(0.0, 9e6)] * 5)


@pytest.mark.parametrize(
    ("growth", "baseline", "failed"),
    [
        (0, 10_000_000, False),
        (-8192, 10_000_000, False),
        (5_000_000, 10_000_000, False),
        (5_100_000, 10_000_000, True),
        (0, 0, False),
        (4096, 0, True),
        (0, -4096, False),
        (-4096, -4096, False),
        (4096, -4096, True),
    ],
)
def test_memory_is_compared_by_difference(growth: float, baseline: float, *, failed: bool) -> None:
    assert fails(at_most("0.5 of baseline", "peak_memory"), [Pair(growth, baseline)] * 5) is failed


def test_memory_s_blocks_weigh_by_bytes_and_not_by_ratio() -> None:
    # thrice as much where there is little, a little less where there is much
    pairs = [*[Pair(3.0 * 4096, 4096.0)] * 4, *[Pair(9e6, 10e6)] * 4]
    assert not fails(at_most("1 of baseline", "peak_memory"), pairs)
    excess = [at_most("1 of baseline", "peak_memory").excess(pair.figure, pair.baseline) for pair in pairs]
    assert excess == [8192] * 4 + [-1e6] * 4
    assert at_most("1 of baseline").excess(3.0, 1.0) == pytest.approx(math.log(3))


def test_a_second_gate_takes_some_of_the_level() -> None:
    worse = ("worse", at_most("20 ms"), [Pair(21e6, 0.0)] * 5)
    fine = ("fine", at_most("20 ms"), [Pair(19e6, 0.0)] * 5)
    (alone,) = judge([worse])
    assert alone.failed
    assert alone.p == 2**-5
    first, second = judge([fine, worse])
    assert [first.name, second.name] == ["fine", "worse"]
    assert second.p == 2 * 2**-5 > LEVEL
    assert not first.failed
    assert not second.failed
