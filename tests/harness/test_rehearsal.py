"""What a short load tells of the load driver, on a machine of its own and on one that others use too."""

from __future__ import annotations

import numpy as np
import pytest

from harness.rehearsal import client_share
from results.records import COLUMN, LoadRecord, Outcome

MS = 1_000_000


def load(durations_ms: list[float], cpu_ms: float, gap_ms: float = 0.0) -> LoadRecord:
    """One user's responses, one after another, from the window's begin to its end."""
    requests = np.zeros((len(durations_ms), len(COLUMN)), dtype=np.int64)
    at = 0
    for number, duration in enumerate(durations_ms):
        requests[number, COLUMN["sent_ns"]] = at
        at += round(duration * MS)
        requests[number, COLUMN["last_ns"]] = at
        requests[number, COLUMN["outcome"]] = Outcome.VERIFIED
        at += round(gap_ms * MS)
    return LoadRecord(0, at, at, requests, {}, round(cpu_ms * MS), at)


def test_on_an_idle_machine_it_is_the_cpu_over_the_time() -> None:
    assert client_share(load([10.0] * 50, 400)) == pytest.approx(0.8)
    assert client_share(load([10.0] * 50, 400, gap_ms=1)) == pytest.approx(0.8, abs=0.01)


def test_responses_that_others_slow_down_do_not_hide_it() -> None:
    """Every fourth takes five times as long, and costs no more: the window alone would say 45%."""
    assert client_share(load([10.0, 10.0, 10.0, 50.0] * 10, 40 * 9)) == pytest.approx(0.9)


def test_it_is_never_more_than_all_and_one_response_that_lasts_longer_counts_by_its_part() -> None:
    assert client_share(load([10.0] * 10, 200)) >= 1.0
    long = load([400.0, 400.0], 400)
    halved = LoadRecord(0, 600 * MS, 800 * MS, long.requests, {}, 300 * MS, 600 * MS)
    assert client_share(halved) == pytest.approx(0.5)
