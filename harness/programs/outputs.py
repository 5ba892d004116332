"""Keeps what programs print from filling the disk: of much, the begin and the end are kept.

A program goes on writing at the end of its file; the blocks in the middle are given back (fallocate(2),
FALLOC_FL_PUNCH_HOLE), and read as zeros from then on. Where a file system or kernel has no such thing, the
file is emptied.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

#: A file that takes more of the disk is shortened to its begin and its end, each of so many bytes.
MOST_BYTES = 64 << 20
KEPT_BYTES = 1 << 20
_LOOK_EVERY_S = 1.0
_BLOCK_BYTES = 512
_KEEP_SIZE, _PUNCH_HOLE = 0x01, 0x02


class Shortener:
    """A thread that looks at the files of ``outputs`` each second, from `start` until `stop`."""

    def __init__(self, outputs: Callable[[], Iterable[Path]]) -> None:
        self._outputs = outputs
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="output-shortener", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End it; returns when it has."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_EVERY_S):
            for output in self._outputs():
                # it went with its folder; or it cannot be shortened now, and the next look may do
                with contextlib.suppress(OSError):
                    shorten(output)


def shorten(output: Path) -> None:
    """Give back the middle of a file that takes more than `MOST_BYTES`. Raises OSError."""
    if output.stat().st_blocks * _BLOCK_BYTES <= MOST_BYTES:
        return
    with output.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        if not _punched(file.fileno(), KEPT_BYTES, size - 2 * KEPT_BYTES):
            file.truncate(0)


def _punched(descriptor: int, begin: int, length: int) -> bool:
    if sys.platform != "linux":
        return False
    fallocate = ctypes.CDLL(None, use_errno=True).fallocate
    fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    return bool(fallocate(descriptor, _KEEP_SIZE | _PUNCH_HOLE, begin, length) == 0)
