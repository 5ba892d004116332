"""When the PSS of a tree is read, what it may cost, and what is said where it cannot be."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable

import pytest

from harness.probes import pss
from harness.probes.memory import pss_bytes
from harness.probes.pss import LEAST_PAUSE_S, MOST_COST, PssSampler

WARMUP_S = 0.8


def reading(seconds: float) -> Callable[[int], int]:
    def read(pid: int) -> int:
        time.sleep(seconds)
        return pid

    return read


def sampled(monkeypatch: pytest.MonkeyPatch, read: Callable[[int], int], pids: list[int]) -> PssSampler:
    """A sampler that has been through a whole warm-up, and is read at its end."""
    monkeypatch.setattr(pss, "tells_pss", lambda: True)
    monkeypatch.setattr(pss, "pss_bytes", read)
    sampler = PssSampler()
    sampler.begin(pids, WARMUP_S)
    time.sleep(WARMUP_S)
    sampler.end()
    return sampler


@pytest.mark.parametrize("cost_s", [0.0, 0.002, 0.01])
def test_readings_end_before_the_warm_up_and_take_up_a_tenth_of_it(
    monkeypatch: pytest.MonkeyPatch, cost_s: float
) -> None:
    begun_ns = time.monotonic_ns()
    sampler = sampled(monkeypatch, reading(cost_s), [3, 4])
    *before, last = sampler.samples
    assert len(before) >= 2
    assert {sample.pss_bytes for sample in sampler.samples} == {7}
    assert all(sample.took_ns >= 2 * cost_s * 1e9 for sample in sampler.samples)
    opened_ns = begun_ns + WARMUP_S * 1e9
    assert all(sample.at_ns < opened_ns for sample in before)
    assert last.at_ns >= opened_ns
    for earlier, later in itertools.pairwise(before):
        pause_ns = later.at_ns - earlier.at_ns - earlier.took_ns
        assert pause_ns >= max(LEAST_PAUSE_S * 1e9, earlier.took_ns * (1 / MOST_COST - 1)) - 1e6


def test_a_slow_reading_begins_long_before_the_window_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 200 ms a reading the next would come 1.8 s later: the warm-up is over by then."""
    sampler = sampled(monkeypatch, reading(0.2), [3])
    assert len(sampler.samples) == 2


def test_a_system_without_pss_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pss, "tells_pss", lambda: False)
    sampler = PssSampler()
    assert sampler.begin([os.getpid()], WARMUP_S) == {}
    assert sampler.end() == {}
    assert sampler.samples == []
    assert sampler.method == "not told: this system does not tell PSS (it has no /proc/PID/smaps_rollup)"


def test_a_process_that_may_not_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(pid: int) -> int:
        raise PermissionError(13, "Permission denied", f"/proc/{pid}/smaps_rollup")

    sampler = sampled(monkeypatch, forbidden, [31])
    assert sampler.samples == []
    assert sampler.method == "not told: /proc/31/smaps_rollup may not be read (permission denied)"


def test_a_process_that_goes_in_the_warm_up_ends_sampling_and_is_told_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = iter([1, 1])

    def read(pid: int) -> int:
        for answer in answers:
            return answer
        raise ProcessLookupError(f"process {pid} is gone")

    with pytest.raises(ProcessLookupError):
        sampled(monkeypatch, read, [31])


@pytest.mark.skipif(sys.platform != "linux", reason="smaps_rollup is Linux's")
def test_pages_that_only_this_process_has_count_in_full() -> None:
    before = pss_bytes(os.getpid())
    block = bytearray(os.urandom(1 << 20) * 32)
    grown = pss_bytes(os.getpid()) - before
    assert abs(grown - len(block)) <= 2 << 20
