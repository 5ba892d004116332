"""Memory on the screen: what each case grew by and kept, and how memory goes with response size."""

from __future__ import annotations

import click

from analysis.slope import DEFINITION, FEWEST_BLOCKS, MemorySlope, memory_slopes
from analysis.summary import summarize
from analysis.table import amount
from harness.cli.prose import say
from results.metrics import FIGURES, Unit
from results.run import Run

#: The figures of memory, and how they are told.
_TOLD = {
    "peak_memory": "grew by {}",
    "retained": "kept {}",
    "peak_missed": "sampling missed {}",
    "tree_pss": "PSS of the tree {}",
}


def print_memory(run: Run) -> None:
    """A line for each case, of what its trials can tell."""
    click.echo("\nMemory (medians):")
    for row in summarize(run):
        told = [
            words.format(amount(value, FIGURES[name].unit))
            for name, words in _TOLD.items()
            if (value := row.estimates[name].value) is not None
        ]
        say(f"{row.label}: {', '.join(told) or 'not told'}", indent="  ")
    print_slopes(run)


def print_slopes(run: Run) -> None:
    """A line for each family of cases that differ in size only; nothing where a run has none."""
    slopes = memory_slopes(run)
    if slopes:
        click.echo(f"\nMemory over response size ({DEFINITION}; 95% interval):")
    for slope in slopes:
        say(_line(slope), indent="  ")


def _line(slope: MemorySlope) -> str:
    smallest, largest = (amount(slope.sizes_bytes[end], Unit.BYTES) for end in (0, -1))
    line = f"{slope.label}: {slope.slope:z.3f} B held for each byte"
    if slope.low is None:
        line += f" (no interval: it takes {FEWEST_BLOCKS} blocks)"
    else:
        line += f" ({slope.low:z.3f} to {slope.high:z.3f})"
    line += f", {smallest} to {largest}"
    return f"{line}: constant" if slope.constant else line
