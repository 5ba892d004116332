"""The one exception tree. Every error carries the exit code that the command line ends with.

StreamgaugeError
├── UsageError          2   wrong words, a wrong suite file, a gate that cannot be judged
│   └── StoreError      2   not a store, a newer store, a damaged one
├── MeasurementError    3   a server that did not start, wrong bytes, a driver that died
└── Interrupted       130   Ctrl-C; finished trials are kept
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the command line's exit codes mean."""

    GOOD = 0
    WORSE = 1
    USAGE = 2
    INVALID = 3
    UNDECIDED = 4
    INTERRUPTED = 130


class StreamgaugeError(Exception):
    """An error with a message for the user: what is wrong, where, and what to do."""

    exit_code: ClassVar[ExitCode] = ExitCode.INVALID


class UsageError(StreamgaugeError):
    """What was asked for cannot be done as it was asked."""

    exit_code = ExitCode.USAGE


class StoreError(UsageError):
    """A file that cannot be read as a streamgauge store."""


class MeasurementError(StreamgaugeError):
    """The measurement itself failed; nothing that was finished before it is lost."""


class Interrupted(StreamgaugeError):  # noqa: N818  - named for what happened, as KeyboardInterrupt is
    """The user ended the run; finished trials are kept."""

    exit_code = ExitCode.INTERRUPTED
