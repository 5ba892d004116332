"""Looking several times: the level of each look, so that all looks together keep theirs.

Sources: S. J. Pocock, "Group sequential methods in the design and analysis of clinical trials" (1977);
P. Armitage, C. K. McPherson, B. C. Rowe, "Repeated significance tests on accumulating data" (1969).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

#: After how many blocks a sequential run looks.
LOOKS = (7, 10, 15, 20)
#: The two-sided level of each look: Pocock's constant for four looks at 0.05. They are not evenly spaced
#: here, which makes the level of all of them a little smaller.
LOOK_LEVEL = 0.0182

_STEPS = 401


def overall_level(looks: Sequence[int], level: float) -> float:
    """The chance that any look is significant at this two-sided level when there is no difference.

    ``looks`` are the numbers of blocks, rising. By recursive integration of the density of the sum that has
    stayed inside the boundary (Armitage, McPherson and Rowe), for normal differences.
    """
    boundary = NormalDist().inv_cdf(1 - level / 2)
    points, mass, before = np.zeros(1), np.ones(1), 0
    for blocks in looks:
        end = boundary * math.sqrt(blocks)
        onward = np.linspace(-end, end, _STEPS)
        variance = blocks - before
        step = np.exp(-((onward[:, None] - points) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)
        points, mass, before = onward, (step @ mass) * _simpson(end), blocks
    return 1 - float(mass.sum())


def level_of_each(looks: Sequence[int], overall: float) -> float:
    """The two-sided level at which each look may be tested so that all of them keep ``overall``."""
    low, high = overall / len(looks), overall
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if overall_level(looks, middle) <= overall else (low, middle)
    return low


def _simpson(end: float) -> npt.NDArray[np.float64]:
    """Weights of Simpson's rule over the points from -end to end."""
    weights = np.full(_STEPS, 2.0)
    weights[1::2] = 4.0
    weights[[0, -1]] = 1.0
    return weights * (2 * end / (_STEPS - 1) / 3)
