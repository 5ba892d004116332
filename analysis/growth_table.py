"""What a soak found, as a table: for a terminal, a page, and Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.growth import DEFINITION, MemoryGrowth
from analysis.table import amount
from results.metrics import Unit

CAPTION = "Memory over time"
HEADINGS = ("case", "windows", "retained a response", "95% interval", "an hour", "memory", "what it rests on")
#: How to read it, in one paragraph.
NOTE = (
    "What the server retains for each response, from the least memory in each part of the window, without "
    f"its first third, in which allocators and caches warm up ({DEFINITION}). An hour is at the rate of this "
    "load."
)


def rows(growths: Sequence[MemoryGrowth]) -> list[Sequence[str]]:
    """A row for each case of a soak, with the cells of HEADINGS."""
    return [
        [
            item.label,
            f"{item.trials:,}",
            signed(item.slope),
            interval(item),
            signed(item.per_hour),
            item.verdict.value,
            item.reason,
        ]
        for item in growths
    ]


def interval(item: MemoryGrowth) -> str:
    """Its interval in words."""
    return f"{signed(item.low)} to {signed(item.high)}"


def signed(value: float) -> str:
    """Bytes that came or went."""
    return f"{'+' if value > 0 else ''}{amount(value, Unit.BYTES)}"
