"""Alarms of the event loop: they ring once for each instant, in the loop, and never before it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from time import monotonic_ns

import gevent
import pytest

from scenarios.alarm import Alarm, KernelAlarm, LoopAlarm

needs_timerfd = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has timer descriptors")


@pytest.mark.parametrize("kind", [pytest.param(KernelAlarm, marks=needs_timerfd), LoopAlarm])
def test_an_alarm_rings_once_for_each_instant_and_never_before_it(
    kind: Callable[[Callable[[], None]], Alarm],
) -> None:
    rung: list[tuple[int, object]] = []
    done = gevent.event.Event()
    begun_ns = monotonic_ns()
    # some in the past, some closer than a loop's own timers can tell apart
    instants = [begun_ns + offset for offset in (-5, 0, 300_000, 700_000, 3_200_000, 3_200_000, 20_000_001)]

    def ring() -> None:
        rung.append((monotonic_ns(), gevent.getcurrent()))
        if len(rung) < len(instants):
            alarm.set(instants[len(rung)])
        else:
            done.set()

    alarm = kind(ring)
    alarm.set(instants[0])
    assert done.wait(10)
    gevent.sleep(0.01)
    alarm.close()
    assert len(rung) == len(instants)
    assert all(at >= instant for (at, _), instant in zip(rung, instants, strict=True))
    assert {current for _, current in rung} == {gevent.get_hub()}


@pytest.mark.parametrize("kind", [pytest.param(KernelAlarm, marks=needs_timerfd), LoopAlarm])
def test_a_closed_alarm_does_not_ring_and_leaves_nothing_open(
    kind: Callable[[Callable[[], None]], Alarm],
) -> None:
    rung: list[int] = []

    def once() -> None:
        alarm = kind(lambda: rung.append(1))
        alarm.set(monotonic_ns() + 5_000_000)
        alarm.close()

    once()
    before = os.dup(0)
    os.close(before)
    for _ in range(20):
        once()
    after = os.dup(0)
    os.close(after)
    gevent.sleep(0.02)
    assert rung == []
    assert before == after
