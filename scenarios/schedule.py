"""When an open loop sends its requests: all instants of a trial, drawn before it begins."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Iterator
from typing import Literal

Spacing = Literal["constant", "poisson"]


def schedule_seed(run_seed: int, block: int) -> str:
    """The seed of all schedules of a block: the run's seed and the block's number tell it again."""
    return f"{run_seed}/{block}/arrivals"


def offsets_ns(spacing: Spacing, rate: float, span_s: float, seed: str) -> array[int]:
    """When requests are sent, in ns from the begin of a trial that sends for ``span_s``; sorted.

    Constant: 1/rate apart, the first after half of that. Poisson: gaps drawn from the exponential
    distribution with the mean 1/rate, so that requests come independently of each other.
    """
    instants = _constant(rate) if spacing == "constant" else _poisson(rate, seed)
    end_ns = round(span_s * 1e9)
    offsets = array("q")
    for instant_s in instants:
        at_ns = round(instant_s * 1e9)
        if at_ns >= end_ns:
            break
        offsets.append(at_ns)
    return offsets


def _constant(rate: float) -> Iterator[float]:
    number = 0.5
    while True:
        yield number / rate
        number += 1


def _poisson(rate: float, seed: str) -> Iterator[float]:
    draw = random.Random(seed)  # noqa: S311  - a schedule, not a secret
    at_s = 0.0
    while True:
        at_s -= math.log(1.0 - draw.random()) / rate
        yield at_s
