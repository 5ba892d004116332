"""One measurement at a time: two on the same machine would take each other's cores, caches and memory.

Who measures holds a lock (flock(2)) on a file in the folder for temporary files, which says who that is. The
kernel lets go of it when its holder ends, however it does.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from results.errors import MeasurementError

_NAME = "streamgauge.lock"
#: Of what another user's process may have written there.
_MOST_WORDS = 300
#: The file is another user's to make, too: nothing of it is followed or waited for.
_CAREFULLY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextlib.contextmanager
def occupying(words: str) -> Iterator[str | None]:
    """Be the one that measures on this machine until the block ends, or this process does.

    ``words`` say what is measured, for others. Yields who was there before us, in its own words, and None
    where nobody was. Raises MeasurementError where that cannot be told.
    """
    path = Path(tempfile.gettempdir()) / _NAME
    try:
        descriptor = _locked(path)
    except OSError as error:
        raise MeasurementError(
            f"cannot tell whether another streamgauge measures on this machine: {path}: {error.strerror}; "
            "remove it, or set TMPDIR to another folder"
        ) from error
    if descriptor is None:
        yield _words_in(path)
        return
    try:
        _write(descriptor, f"process {os.getpid()}: {words}")
        yield None
    finally:
        # still locked: who waits for this file finds another one, or none
        with contextlib.suppress(PermissionError, FileNotFoundError):
            path.unlink()
        os.close(descriptor)


def _locked(path: Path) -> int | None:
    """The file, open and locked; None where somebody else has it."""
    while True:
        descriptor = _opened(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_there(descriptor, path):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        os.close(descriptor)  # its last holder has removed it meanwhile


def _opened(path: Path) -> int:
    while True:
        with contextlib.suppress(FileExistsError):
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _CAREFULLY, 0o644)
        try:
            return os.open(path, os.O_RDWR | _CAREFULLY)
        except PermissionError:  # another user's, which can be locked all the same
            return os.open(path, os.O_RDONLY | _CAREFULLY)
        except FileNotFoundError:
            continue


def _is_there(descriptor: int, path: Path) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(descriptor), found)


def _write(descriptor: int, words: str) -> None:
    with contextlib.suppress(OSError):  # another user's file, which was left: nobody may write there
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, words.encode(errors="replace"), 0)


def _words_in(path: Path) -> str:
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | _CAREFULLY)
        try:
            words = os.read(descriptor, _MOST_WORDS).decode(errors="replace").strip()
        finally:
            os.close(descriptor)
        if words.isprintable() and words:
            return words
    return "a process that does not say which"
