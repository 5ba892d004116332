"""A row of values as a line of text as high as a letter."""

from __future__ import annotations

from collections.abc import Sequence

_STEPS = "▁▂▃▄▅▆▇█"
_GAP = " "


def sparkline(values: Sequence[float | None], least_range: float) -> str:
    """One character a value, a space where there is none.

    The whole height is the range of the values, ``least_range`` (above 0) at least: noise is not drawn as
    mountains.
    """
    known = [value for value in values if value is not None]
    if not known:
        return _GAP * len(values)
    middle = (min(known) + max(known)) / 2
    height = max(max(known) - min(known), least_range)
    return "".join(_GAP if value is None else _step((value - middle) / height + 0.5) for value in values)


def _step(share: float) -> str:
    return _STEPS[min(int(share * len(_STEPS)), len(_STEPS) - 1)]
