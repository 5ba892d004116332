"""Ctrl-C: once, and the trial under way is finished and kept; twice, and all ends at once."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Self

_ASKED = "\nstreamgauge: the trial under way is finished first; Ctrl-C once more ends it at once\n"


class Interrupts:
    """From now on until the block ends; the main thread's.

    SIGTERM and SIGHUP end a run at once (`end_at_once`): who sends them does not wait for long.
    """

    def __init__(self) -> None:
        self._finishing = False
        self._asked = False

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    @contextlib.contextmanager
    def finished_first(self) -> Iterator[None]:
        """What is in the block is finished before a first Ctrl-C ends the run."""
        self._finishing = True
        try:
            yield
        finally:
            self._finishing = False
        if self._asked:
            raise KeyboardInterrupt

    def _interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        if not self._finishing or self._asked:
            raise KeyboardInterrupt
        self._asked = True
        # not by way of sys.stderr, which may be in the middle of something else
        with contextlib.suppress(OSError):
            os.write(sys.__stderr__.fileno() if sys.__stderr__ is not None else 2, _ASKED.encode())


def end_at_once() -> None:
    """From now on SIGTERM and SIGHUP end this process in order."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup(1)
            signal.signal(number, _end)


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
