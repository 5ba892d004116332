"""One streamgauge at a time on a machine: the next one is refused, or says what it does to the other."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Iterator

from harness.cli.prose import say
from harness.programs.occupancy import occupying
from results.errors import MeasurementError


@contextlib.contextmanager
def measuring_alone(*, force: bool) -> Iterator[str | None]:
    """For what measures: yields who else does, None where nobody does, or where that does not matter.

    Raises MeasurementError where somebody else does, unless ``force``d.
    """
    with occupying(_words()) as other:
        if other is not None and not force:
            raise MeasurementError(
                f"another streamgauge measures on this machine ({other}), and each would disturb the other; "
                "wait for its end, or measure beside it with --force, which is noted in the run"
            )
        if other is not None:
            say(f"measured beside another streamgauge ({other}): each disturbs the other", err=True)
        yield other


@contextlib.contextmanager
def telling_of_others() -> Iterator[None]:
    """For what only looks: says that it disturbs what measures, and does it."""
    with occupying(_words()) as other:
        if other is not None:
            say(f"another streamgauge is at work on this machine ({other}): this disturbs it", err=True)
        yield


def _words() -> str:
    """The verb alone: other words, which may hold a header's token, are nobody else's business."""
    return shlex.join(["streamgauge", *[word for word in sys.argv[1:] if not word.startswith("-")][:1]])
