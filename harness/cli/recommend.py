"""The recommended buffers on the screen, and what a run could have seen."""

from __future__ import annotations

import click

from analysis.buffers.families import Size
from analysis.buffers.recommend import Buffer, recommendations
from analysis.table import amount, times
from analysis.verdicts.detectable import Detectable, detectable_changes
from analysis.verdicts.judgement import FEWEST_BLOCKS
from harness.cli.prose import say
from results.metrics import Unit
from results.run import Run


def print_recommendations(run: Run) -> None:
    """The answer for each family of buffers, with each of its sizes; nothing where a run has no family."""
    found = recommendations(run)
    if not found:
        return
    click.echo("\nRecommended buffer:")
    for recommendation in found:
        family = recommendation.family
        say(f"{family.label}, {family.knob}: {recommendation.reason}", indent="  ")
        for buffer in recommendation.buffers:
            say(_line(buffer), indent="    ")
    say(
        "The bytes are what the chunks really have: 5 template events are not 5 rows, and the first chunk "
        "holds the header too."
    )


def print_detectable(run: Run) -> None:
    """One line: the smallest change for the worse that this run could have seen, figure by figure."""
    changes = detectable_changes(run)
    click.echo()
    if not changes:
        say(f"With fewer than {FEWEST_BLOCKS} valid blocks this run could have seen no change.")
        return
    told = ", ".join(f"{_change(change)} in {change.figure.name}" for change in changes)
    say(f"This run could have seen a change for the worse of {told} (in its noisiest case).")


def _line(buffer: Buffer) -> str:
    line = f"{buffer.size.name}: {_chunks(buffer.size)}"
    if buffer.standing is None:
        return line
    line += f"; {buffer.verdict}"
    if share := buffer.standing.share:
        line += f" ({share:.0%} of resampled blocks choose it)"
    return line


def _chunks(size: Size) -> str:
    if size.median_chunk_bytes is None:
        return "not chunked on the wire"
    first, median = (amount(value, Unit.BYTES) for value in (size.first_chunk_bytes, size.median_chunk_bytes))
    return f"{median} a chunk, {first} the first"


def _change(change: Detectable) -> str:
    if change.figure.by_difference:
        return f"+{amount(change.change, change.figure.unit)}"
    return times(change.change)
