"""Files in the user's cache that are made once for all processes, and never seen half made."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """Return streamgauge's folder in the user's cache; whoever writes there makes it first."""
    return Path(platformdirs.user_cache_dir("streamgauge")).absolute()


@contextmanager
def only_maker(folder: Path) -> Iterator[None]:
    """Wait until nobody else makes a file in `folder`; the kernel frees the place of a killed maker.

    Raises:
        OSError: nothing can be written there.
    """
    with (folder / "loading.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Hand out another path to write to, and put what is there in the place of `path` when all went well.

    For the `only_maker` of the folder: what a killed one left behind is removed.

    Raises:
        OSError: the file cannot be written, flushed to the disk or put into its place.
    """
    for leftover in path.parent.glob("*.loading"):
        leftover.unlink()
    loading = path.with_name(f"{path.name}.loading")
    try:
        yield loading
        _flush(loading)
        loading.replace(path)
        _flush(path.parent)
    finally:
        loading.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
