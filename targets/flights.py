"""The rows that every target serves: the flights that left New York City in 2013, out of SQLite.

The compressed source lies beside this file; on first use it is loaded into a database in the user's
cache, and from then on read through a cursor, as an application would.
"""

import csv
import hashlib
import io
import lzma
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from targets.cache import cache_folder, only_maker, replacing

COLUMNS: Final = (
    "year",
    "month",
    "day",
    "dep_time",
    "sched_dep_time",
    "dep_delay",
    "arr_time",
    "sched_arr_time",
    "arr_delay",
    "carrier",
    "flight",
    "tailnum",
    "origin",
    "dest",
    "air_time",
    "distance",
    "hour",
    "minute",
    "time_hour",
)
TOTAL_ROWS: Final = 336_776

_SOURCE: Final = Path(__file__).parent / "data" / "flights.csv.xz"
_SOURCE_SHA256: Final = "b85ee4b4d4c585cd5cebb6908552b40e8ac88411e5f3ee7493418de98e17a289"
_REINSTALL: Final = "install streamgauge again, or fetch the file from its repository."
# Raised whenever the same source is stored differently.
_FORMAT: Final = 1

_ROWS_A_FETCH: Final = 100
_ROWS_A_REPORT: Final = 10_000

_CREATE: Final = f"CREATE TABLE flights ({', '.join(f'{c} TEXT NOT NULL' for c in COLUMNS)})"
_INSERT: Final = f"INSERT INTO flights VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
_SELECT: Final = f"SELECT {', '.join(COLUMNS)} FROM flights ORDER BY rowid LIMIT ?"  # noqa: S608


class FlightsError(Exception):
    """The flights cannot be loaded or read; the message names the path and the remedy."""


def iter_all_rows(rows: int = TOTAL_ROWS) -> Iterator[tuple[str, ...]]:
    """Yield `rows` flights in the order of the source, each a tuple of `COLUMNS`.

    Past the last flight it starts again from the first. Memory stays constant. Loads the database
    first where that has not been done. Each generator has its own connection, and closes it when it
    ends or is closed.

    Raises:
        FlightsError: as `ensure_loaded`, or the database turned out to be damaged on the way.
        ValueError: `rows` is negative.
    """
    if rows < 0:
        raise ValueError(f"rows must be 0 or more, not {rows}")
    if not rows:
        return
    path = _database_path()
    connection = _open(path) or _open(ensure_loaded())
    if connection is None:
        raise _damaged(path)
    with closing(connection):
        while rows > 0:
            try:
                cursor = connection.execute(_SELECT, (min(rows, TOTAL_ROWS),))
                while batch := cursor.fetchmany(_ROWS_A_FETCH):
                    yield from batch
            except sqlite3.DatabaseError as error:
                raise _damaged(path) from error
            rows -= TOTAL_ROWS


def ensure_loaded(progress: Callable[[int, int], None] | None = None) -> Path:
    """Return the path of the loaded database, loading it first where it is missing or damaged.

    Safe to call from several processes and threads at once: one loads, the others wait for it.

    Args:
        progress: called now and then while loading, with the rows stored and the rows in all.

    Raises:
        FlightsError: the cache cannot be written, or the source is missing or not the expected one.
    """
    path = _database_path()
    if _is_sound(path):
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with only_maker(path.parent):
            if not _is_sound(path):
                _load(path, progress or (lambda _done, _total: None))
    except (OSError, sqlite3.Error) as error:
        raise FlightsError(
            f"The flights could not be loaded into {path}: {error}. The database needs about 40 MB"
            " in a folder that can be written: make it so, or name another cache folder in the"
            " environment, for example XDG_CACHE_HOME=/var/tmp/cache."
        ) from error
    return path


def edition() -> str:
    """Return how the names of files begin that are made of this source: no other's are taken for them."""
    return f"flights-v{_FORMAT}-{_SOURCE_SHA256[:12]}"


def _database_path() -> Path:
    return cache_folder() / f"{edition()}.sqlite"


def _damaged(path: Path) -> FlightsError:
    return FlightsError(f"The flights database {path} is damaged: delete it and try again.")


def _open(path: Path) -> sqlite3.Connection | None:
    """Open the database read-only; None where it is missing or visibly damaged.

    The look is cheap enough for each request: the size of the file and its last row.
    """
    # immutable: a loaded file never changes, it is only ever replaced as a whole.
    # check_same_thread: a server may close a generator in another thread than it ran in.
    uri = f"{path.as_uri()}?mode=ro&immutable=1"
    try:
        connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
    except sqlite3.OperationalError:
        return None
    if _looks_whole(connection, path):
        # SQLite's own cache of 2 MB is of no use to a reader that never turns back, and at some
        # users it would be most of the memory that is measured.
        connection.execute("PRAGMA cache_size = -64")
        return connection
    connection.close()
    return None


def _looks_whole(connection: sqlite3.Connection, path: Path) -> bool:
    try:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        (last,) = connection.execute("SELECT max(rowid) FROM flights").fetchone()
        return bool(last == TOTAL_ROWS and path.stat().st_size == pages * page_bytes)
    except (OSError, sqlite3.DatabaseError):
        return False


def _is_sound(path: Path) -> bool:
    connection = _open(path)
    if connection is None:
        return False
    connection.close()
    return True


def _load(path: Path, progress: Callable[[int, int], None]) -> None:
    with replacing(path) as loading, closing(sqlite3.connect(loading, isolation_level=None)) as connection:
        _fill(connection, progress)


def _fill(connection: sqlite3.Connection, progress: Callable[[int, int], None]) -> None:
    # Nothing to roll back to: a load that fails is thrown away with its file.
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    connection.execute(_CREATE)
    connection.executemany(_INSERT, _reported(_source_rows(), progress))
    connection.execute("COMMIT")
    (stored,) = connection.execute("SELECT count(*) FROM flights").fetchone()
    if stored != TOTAL_ROWS:
        raise FlightsError(f"{_SOURCE} holds {stored} rows, not {TOTAL_ROWS}: {_REINSTALL}")
    progress(stored, TOTAL_ROWS)


def _source_rows() -> Iterator[list[str]]:
    try:
        packed = _SOURCE.read_bytes()
    except OSError as error:
        raise FlightsError(f"{_SOURCE} cannot be read ({error}): {_REINSTALL}") from error
    if hashlib.sha256(packed).hexdigest() != _SOURCE_SHA256:
        raise FlightsError(f"{_SOURCE} is not the file that this version knows: {_REINSTALL}")
    with lzma.open(io.BytesIO(packed)) as unpacked:
        rows = csv.reader(io.TextIOWrapper(unpacked, encoding="utf-8", newline=""))
        if tuple(next(rows)) != COLUMNS:
            raise FlightsError(f"{_SOURCE} has other columns than expected: {_REINSTALL}")
        yield from rows


def _reported(rows: Iterator[list[str]], progress: Callable[[int, int], None]) -> Iterator[list[str]]:
    for done, row in enumerate(rows):
        if done % _ROWS_A_REPORT == 0:
            progress(done, TOTAL_ROWS)
        yield row
