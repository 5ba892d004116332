"""The offset of another clock, and its bound, against clocks whose offset is known."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.workers.clocks import Offset, Reading, offset_of, offset_over, own_clock
from tests.programs import need_time_namespaces

SPANS = st.integers(0, 50_000_000)


@given(
    offset_ns=st.integers(-(10**18), 10**18),
    travels=st.lists(st.tuples(SPANS, SPANS, SPANS), min_size=1, max_size=20),
)
def test_the_bound_holds_whatever_each_way_takes(offset_ns: int, travels: list[tuple[int, int, int]]) -> None:
    readings = []
    for there_ns, rest_ns, back_ns in travels:
        received_ns = 1000 + there_ns + offset_ns
        answered_ns = received_ns + rest_ns
        readings.append(Reading(1000, received_ns, answered_ns, answered_ns - offset_ns + back_ns))
    found = offset_of(readings)
    assert abs(found.offset_ns - offset_ns) <= found.bound_ns
    assert found.bound_ns <= min(there + back for there, _, back in travels) // 2 + 1


def test_a_clock_that_has_moved_since_is_told_by_the_bound() -> None:
    assert offset_over(Offset(100, 5), Offset(103, 4)) == Offset(100, 7)
    assert offset_over(Offset(100, 9), Offset(100, 2)) == Offset(100, 9)


@pytest.mark.skipif(sys.platform != "linux", reason="time namespaces are Linux's")
def test_a_clock_of_another_namespace_is_another_one() -> None:
    here = own_clock()
    code = "from scenarios.workers.clocks import own_clock; print(*own_clock())"
    same = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert same.split() == list(here)
    assert len(here) == 2
    words = [*need_time_namespaces(), "--monotonic", "1000", sys.executable, "-c", code]
    other = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert other[0] == here[0]
    assert other[1] != here[1]
