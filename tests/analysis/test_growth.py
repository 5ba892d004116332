"""What a soak says of memory whose growth is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from analysis import growth_table
from analysis.growth import MARGIN_BYTES, Growth, MemoryGrowth, fitted, growth_of, memory_growths
from analysis.trial.floors import PARTS, floors_of
from results.case import Case
from results.floors import MemoryFloor
from results.records import MemorySample, Outcome
from results.run import Run
from tests.analysis.examples import Invalid, run_of
from tests.results.examples import (
    CLOSE_NS,
    OPEN_NS,
    STREAM,
    WHOLE,
    load_record,
    process_memory,
    request,
    server_record,
)

KIB, MIB = 2**10, 2**20


def window(memory: Callable[[float], float], responses: int = 12_000) -> list[MemoryFloor]:
    """Floors of a window of an hour; ``memory`` (bytes) at a share of it."""
    middles = [(part + 0.5) / PARTS for part in range(PARTS)]
    return [
        MemoryFloor(part, round(middle * 3600e9), round(middle * responses), round(memory(middle)))
        for part, middle in enumerate(middles)
    ]


def growth(*memory: Callable[[float], float], responses: int = 12_000, workers: int = 1) -> MemoryGrowth:
    case = Case({**STREAM.parameters, "workers": workers}, baseline=None)
    return growth_of("orders", case, [fitted(window(item, responses)) for item in memory])


def leaking(each: float, responses: int = 12_000) -> Callable[[float], float]:
    return lambda share: 40 * MIB + each * responses * share


def test_a_leak_is_what_it_is_for_each_response_and_each_hour() -> None:
    found = growth(leaking(10 * KIB))
    assert found.slope == pytest.approx(10 * KIB, rel=1e-3)
    assert found.per_hour == pytest.approx(10 * KIB * 12_000, rel=1e-3)
    assert found.verdict is Growth.GROWS
    # an arena may hide this much over the fitted part of the window
    assert found.slope - found.low == pytest.approx(MIB / 7000, rel=1e-3)


def test_level_memory_does_not_grow_where_the_responses_are_many_enough_to_tell() -> None:
    assert growth(leaking(0)).verdict is Growth.DOES_NOT
    few = growth(leaking(0, 600), responses=600)
    assert few.verdict is Growth.UNDECIDED
    assert "a window 3 times as long would decide" in few.reason
    assert few.high > MARGIN_BYTES > growth(leaking(0)).high


def test_more_workers_may_hide_more() -> None:
    one, four = (growth(leaking(0), workers=workers) for workers in (1, 4))
    assert four.high == pytest.approx(4 * one.high)


def test_a_warm_up_is_no_leak() -> None:
    over = growth(lambda share: 40 * MIB + 64 * MIB * (1 - np.exp(-share / 0.05)))
    assert over.verdict is Growth.DOES_NOT
    slowing = growth(lambda share: 40 * MIB + 256 * MIB * (1 - np.exp(-share / 0.3)))
    assert slowing.low > MARGIN_BYTES
    assert slowing.verdict is Growth.UNDECIDED
    assert "ever more slowly" in slowing.reason


def test_windows_need_not_be_on_one_level() -> None:
    found = growth(leaking(4 * KIB), lambda share: leaking(4 * KIB)(share) + 500 * MIB, leaking(4 * KIB))
    assert (found.trials, found.verdict) == (3, Growth.GROWS)
    assert found.slope == pytest.approx(4 * KIB, rel=1e-3)


def test_with_many_windows_what_they_differ_by_counts() -> None:
    """Within each window all is smooth; between them the slope wanders, and the interval shows it."""
    slopes = [KIB * value for value in (-4, 3, 5, -2, 6, -5, 4, 1)]
    found = growth(*(leaking(each) for each in slopes))
    assert found.verdict is Growth.UNDECIDED
    assert found.low < 0 < found.high
    assert growth(*(leaking(5 * KIB + each / 10) for each in slopes)).verdict is Growth.GROWS


def soaked(trials: Sequence[Sequence[MemoryFloor]], *, invalid: int | None = None) -> Run:
    run = run_of((WHOLE, [{}]), (STREAM, [Invalid({}) if n == invalid else {} for n in range(len(trials))]))
    of_stream = iter(trials)
    return replace(
        run,
        trials=[
            replace(trial, floors=next(of_stream)) if trial.slot.case == STREAM.identity else trial
            for trial in run.trials
        ],
    )


def test_a_run_tells_of_the_cases_that_are_soaked_and_of_their_valid_trials() -> None:
    (found,) = memory_growths(soaked([window(leaking(0)), window(leaking(9 * KIB))], invalid=1))
    assert (found.case, found.trials, found.verdict) == (STREAM.identity, 1, Growth.DOES_NOT)
    assert memory_growths(soaked([()])) == []


def test_a_window_with_a_part_without_a_response_bears_no_slope() -> None:
    assert memory_growths(soaked([window(leaking(0), responses=6)])) == []


def test_the_table_says_slope_interval_hour_and_verdict() -> None:
    (row,) = growth_table.rows([growth(leaking(10 * KIB))])
    assert row[:6] == ["orders", "1", "+10 KiB", "+9.85 KiB to +10.1 KiB", "+117 MiB", "grows"]
    assert len(row) == len(growth_table.HEADINGS)


def test_floors_are_the_least_of_each_process_in_each_part_added_up() -> None:
    step = (CLOSE_NS - OPEN_NS) // PARTS
    samples = [
        MemorySample(pid, OPEN_NS + part * step + offset * step // 4, base + 100 * part + 10 * offset)
        for pid, base in ((7, 1_000), (8, 5_000))
        for part in range(PARTS)
        for offset in (1, 3)
    ]
    responses = [request(sent_ns=OPEN_NS, last_ns=OPEN_NS + n * step) for n in range(PARTS)]
    load = load_record([request(last_ns=OPEN_NS - 1), *responses, request(outcome=Outcome.RESET)])
    server = server_record([process_memory(7), process_memory(8)], samples=samples)
    floors = floors_of(load, server)
    assert [item.floor_bytes for item in floors] == [6_000 + 20 + 200 * part for part in range(PARTS)]
    assert [item.responses for item in floors] == list(range(1, PARTS + 1))
    assert [item.middle_ns for item in floors] == pytest.approx(
        [OPEN_NS + (part + 0.5) * step for part in range(PARTS)], abs=PARTS
    )
    assert floors_of(load, server_record([process_memory(7)], samples=samples[3:])) == []
    assert floors_of(load, server_record([], samples=samples)) == []
