"""The flights as a CSV file on the disk, for an app that sends files.

It lies in the user's cache like the database that it is made of: made when it is first asked for, which is
before anything is timed, and from then on there for every server process. A file of the server process's
own would have to be made within the trial that it serves, and would be left behind by each server that is
killed.
"""

from pathlib import Path
from typing import Final

from targets import csv_chunks
from targets.cache import cache_folder, only_maker, replacing
from targets.flights import edition, iter_all_rows

_ROWS_A_WRITE: Final = 500
# The oldest go first. A response that is just being read from one goes on: it is only no longer found. Fewer
# than the sizes of a suite, and the small one of its readiness, would have each trial make its file again.
_KEPT: Final = 8


class FileError(Exception):
    """The file cannot be made; the message names the path and the remedy."""


def file_of(rows: int) -> Path:
    """Return the path of a CSV file of so many flights, making it first where it is missing.

    Its bytes are those of `csv_chunks.whole`. Safe to call from several processes and threads at once: one
    makes it, the others wait. The eight files that were made last are kept.

    Raises:
        FileError: the cache cannot be written.
        FlightsError: as `flights.iter_all_rows`.
    """
    path = cache_folder() / "files" / f"{edition()}-{rows}.csv"
    if path.is_file():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with only_maker(path.parent):
            if not path.is_file():
                _make(path, rows)
    except OSError as error:
        raise FileError(
            f"The flights could not be written to {path}: {error}. The file needs about 92 bytes a row in a"
            " folder that can be written: make it so, ask for fewer rows, or name another cache folder in the"
            " environment, for example XDG_CACHE_HOME=/var/tmp/cache."
        ) from error
    return path


def _make(path: Path, rows: int) -> None:
    with replacing(path) as loading, loading.open("wb") as file:
        for chunk in csv_chunks.by_rows(iter_all_rows(rows), _ROWS_A_WRITE):
            file.write(chunk.encode())
    made = sorted(path.parent.glob("*.csv"), key=lambda other: other.stat().st_mtime_ns, reverse=True)
    for old in [other for other in made if other != path][_KEPT - 1 :]:
        old.unlink()
