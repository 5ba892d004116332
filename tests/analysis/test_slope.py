"""The slope of memory over response size, for runs in which what each byte costs is known."""

from __future__ import annotations

import itertools

import pytest

from analysis.slope import memory_slopes, theil_sen
from analysis.summary import memory_resolution_bytes
from results.case import Case
from tests.analysis.examples import Invalid, Measured, run_of
from tests.analysis.sizes import BYTES_A_ROW, MB, TOTALS, case, grown, sized
from tests.results.examples import WHOLE


def noise(length: int, block: int) -> float:
    """Between -50 and 50 kB, the same for each length and block."""
    return (length * 7919 + block * 104_729) % 100_001 - 50_000


@pytest.mark.parametrize("held", [0.0, 0.35, 1.0, 2.25])
def test_bytes_held_for_each_byte_are_found_whatever_is_held_anyway(held: float) -> None:
    (found,) = memory_slopes(grown(lambda length, block: 5 * MB + held * length + noise(length, block)))
    assert found.slope == pytest.approx(held, abs=0.02)
    assert found.low is not None
    assert found.high is not None
    assert found.low < held < found.high
    assert found.constant is (held == 0)
    assert (found.label, found.axis, found.blocks) == ("orders", "total", 8)
    assert list(found.sizes_bytes) == [total * BYTES_A_ROW for total in TOTALS]


def test_the_interval_is_never_narrower_than_the_kernel_can_tell() -> None:
    run = grown(lambda length, _: 3 * MB + 2 * length, cpus=4)
    (found,) = memory_slopes(run)
    resolution = memory_resolution_bytes(run) / ((TOTALS[-1] - TOTALS[0]) * BYTES_A_ROW)
    assert found.slope == 2
    assert found.low == pytest.approx(2 - resolution)
    assert found.high == pytest.approx(2 + resolution)


def test_small_sizes_alone_are_never_called_constant() -> None:
    """300 kB apart the kernel's count is too coarse: nothing grew, and nothing was shown."""
    (found,) = memory_slopes(grown(lambda *_: 3 * MB, totals=[1000, 2000, 3000, 4000]))
    assert found.slope == 0
    assert not found.constant


def test_one_size_that_goes_wild_does_not_move_a_slope() -> None:
    sizes = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert theil_sen(sizes, [10, 20, 900, 40, 50]) == 10


def test_fewer_than_six_blocks_have_an_estimate_and_no_interval() -> None:
    (five,) = memory_slopes(grown(lambda length, _: length, blocks=5))
    assert (five.slope, five.low, five.high, five.constant) == (1, None, None, False)
    (six,) = memory_slopes(grown(lambda length, _: length, blocks=6))
    assert six.low is not None


def test_a_block_counts_only_when_all_of_its_sizes_are_valid() -> None:
    """Otherwise a block's slope would be of other sizes than the others' are."""
    arms: list[tuple[Case, list[Measured]]] = []
    for total in TOTALS:
        blocks: list[Measured] = [{"peak_memory": 2.0 * total * BYTES_A_ROW} for _ in range(8)]
        if total == TOTALS[-1]:
            blocks[2] = Invalid({"peak_memory": 99e9})
            blocks[5] = {"peak_memory": None}
        arms.append((case(total), blocks))
    run = sized(run_of(*arms), {case(total).identity: total * BYTES_A_ROW for total in TOTALS})
    (found,) = memory_slopes(run)
    assert (found.slope, found.blocks) == (2, 6)


def test_a_family_without_a_whole_block_has_no_slope() -> None:
    assert (
        memory_slopes(
            grown(
                lambda length, _: None if length == 1000 * BYTES_A_ROW else 1, totals=[1000, 2000, 3000, 4000]
            )
        )
        == []
    )


def test_three_sizes_are_no_family() -> None:
    assert memory_slopes(grown(lambda length, _: length, totals=TOTALS[:3])) == []


def test_sizes_that_do_not_differ_in_length_are_no_family() -> None:
    """Chunk sizes are an axis too, and the response is the same."""
    cases = [case(100, rows=rows) for rows in (1, 5, 50, 500)]
    run = run_of(*[(one, [{"peak_memory": 1.0 * MB}] * 8) for one in cases])
    assert memory_slopes(sized(run, {one.identity: 10_000 for one in cases})) == []


def test_each_family_has_its_own_slope_and_its_label_leaves_the_size_out() -> None:
    lengths, arms = {}, []
    for total, (form, rows, held) in itertools.product(
        reversed(TOTALS), [("whole", {}, 1.0), ("stream", {"rows": 1}, 0.0), ("stream", {"rows": 500}, 0.5)]
    ):
        one = case(total, form, **rows)
        lengths[one.identity] = total * BYTES_A_ROW
        arms.append((one, [{"peak_memory": held * total * BYTES_A_ROW}] * 8))
    found = memory_slopes(sized(run_of(*arms), lengths))
    assert {slope.label: slope.slope for slope in found} == {
        "orders whole": 1.0,
        "orders rows=1": 0.0,
        "orders rows=500": 0.5,
    }


def test_a_run_without_sizes_has_none() -> None:
    assert memory_slopes(run_of((WHOLE, [{"peak_memory": 1.0}] * 8))) == []
