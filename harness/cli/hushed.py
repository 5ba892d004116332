"""Errors are told without secrets, and so is a suite that is stored."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from harness.cli.prose import say
from harness.redaction import Redaction, StoredSuite, stored_suite
from harness.suites.suite import Suite
from results.errors import MeasurementError, StreamgaugeError, UsageError


@contextlib.contextmanager
def hushed(redaction: Redaction) -> Iterator[None]:
    """An error of ours that holds a secret leaves the block without it, and without what it came from."""
    try:
        yield
    except StreamgaugeError as error:
        text = redaction.text(str(error))
        if text == str(error):
            raise
        kind = UsageError if isinstance(error, UsageError) else MeasurementError
        raise kind(text) from None


def stored_and_told(suite: Suite) -> StoredSuite:
    """The suite as it is stored; what is hidden of it is told on standard error."""
    stored = stored_suite(suite)
    if stored.literals:
        told = "; ".join(f"{item.place} as ${{{item.variable}}}" for item in stored.literals)
        say(
            f"The suite holds secrets as they are. They are not stored: {told}. Better take them from the "
            "environment, with a name of your own in ${...}.",
            err=True,
        )
    if stored.lost:
        say(
            "A path or a command of the suite holds a secret, which is not stored: once it is interrupted, "
            "this run cannot go on with --resume.",
            err=True,
        )
    return stored
