"""A private folder for the logs, sockets and bodies of one command: gone with it, however it ends.

Its owner holds a lock in it for as long as it lives. The supervisor removes the folder of a harness that was
killed; where both were, or the machine went down, the next command of ours that needs such a folder does.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PREFIX = "streamgauge-"
_OWNER = "owner.lock"
#: Nobody takes so long to make one, or to remove it.
_UNLOCKED_S = 3600.0
#: A Unix socket's path has room for about 100 bytes (unix(7)), and one is made in here.
_LONGEST = 80


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """One that nobody else may enter, in TMPDIR, or in /tmp where that has too long a path for a socket.

    What killed commands left behind there is removed first.
    """
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    if len(str(folder)) > _LONGEST:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))
    try:
        # locked before it has the name by which others look for it: they would take it for an abandoned one
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            (folder / ".lock").rename(folder / _OWNER)
            remove_abandoned(folder.parent)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(place: Path) -> None:
    """Remove those of our private folders in ``place`` whose owner is gone."""
    for folder in place.glob(f"{PREFIX}*"):
        if is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)


def is_abandoned(folder: Path) -> bool:
    """Whether it is a private folder of this user's whose lock nobody holds.

    One without a lock was left at its begin or its end: it is, when it has been like that for an hour.
    """
    try:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            return False
        if not (folder / _OWNER).exists():
            return folder.name.startswith(PREFIX) and time.time() - found.st_mtime > _UNLOCKED_S
        with (folder / _OWNER).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return folder.name.startswith(PREFIX)
