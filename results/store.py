"""The store: one SQLite file a run, one transaction a trial.

A rollback journal with ``synchronous=FULL`` (sqlite.org/atomiccommit.html): a trial that was
acknowledged is on the disk whatever ends the process or the machine, and the file stays one file.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from results.calibration import CalibrationPoint, insert_calibration
from results.errors import MeasurementError, StoreError
from results.mapping import (
    insert,
    insert_header,
    insert_slots,
    insert_trial,
    read_run,
)
from results.others import read_others
from results.pss import PssSample, read_pss
from results.raw import Nanoseconds, read_first_bytes, read_processes, read_server_output
from results.records import (
    MemorySample,
    OthersRecord,
    ProcessMemory,
    RequestArray,
    Slot,
    TrialRecord,
    Verification,
)
from results.requests import read_requests
from results.run import BESIDE, Run, RunHeader
from results.sides import Preparation, Side, insert_preparation
from results.trace import Trace, insert_trace, read_trace, read_traces
from results.workers import Worker, insert_workers

#: "sgug": tells our files from other SQLite files (PRAGMA application_id).
APPLICATION_ID = 0x73677567
SCHEMA_VERSION = 4

#: What a damaged file shows itself by: bad pages, bad JSON or UTF-8, unknown words and columns.
_DAMAGE = (sqlite3.Error, ValueError, LookupError)


class Store:
    """One run's file. Made by `create` or `open`; a context manager that closes it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @classmethod
    def create(cls, path: Path, header: RunHeader) -> Store:
        """A new store that holds the header, the cases and the plan.

        Raises StoreError when the file exists already or cannot be written.
        """
        try:
            if path.exists():
                raise StoreError(f"{path} exists already; name another file with --output")
            path.parent.mkdir(parents=True, exist_ok=True)
            with _closed_on_error(_connect(path, "rwc")) as connection:
                _make(path, connection, header)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"cannot write the store {path}: {error}; choose a folder that can be written with --output"
            ) from error
        return cls(path, connection)

    @classmethod
    def open(cls, path: Path, *, writable: bool = False) -> Store:
        """An existing store, read-only unless ``writable``.

        Raises StoreError for a missing file, one that is no store, a newer schema, and damage.
        """
        store = cls.open_unchecked(path, writable=writable)
        with _closed_on_error(store._connection), store._read() as connection:
            _check_pages(path, connection)
        return store

    @classmethod
    def open_unchecked(cls, path: Path, *, writable: bool = False) -> Store:
        """An existing store of which not every page is looked at, for those who read many.

        Raises StoreError as `open` does, but damage within a page shows only where it is read.
        """
        try:
            if not path.is_file():
                raise StoreError(f"no run is stored at {path}; `streamgauge list` shows the runs there are")
            # A killed run leaves its journal; only a writable connection can roll it back.
            file = path.resolve()
            journal = file.with_name(file.name + "-journal").exists()
            with _closed_on_error(_connect(path, "rw" if writable or journal else "ro")) as connection:
                _check_schema(path, connection)
                if writable:
                    _check_writable(connection)
        except (*_DAMAGE, OSError) as error:
            raise StoreError(_unreadable(path, error)) from error
        return cls(path, connection)

    def add_verifications(
        self, found: Mapping[str, Verification], base: Mapping[str, Verification] | None = None
    ) -> None:
        """Keep what verify learned, by case identity: of all cases, or of none.

        With ``base``'s, in an ab, ``found`` is head's.
        """
        of_side = {None: found} if base is None else {Side.BASE: base, Side.HEAD: found}
        with self._write() as connection:
            for side, verifications in of_side.items():
                for case, verification in verifications.items():
                    values = {name: getattr(verification, name) for name in Verification.__slots__}
                    insert(connection, "verification", {"case": case, "side": side, **values})

    def add_disturbance(self, words: str) -> None:
        """Note that another streamgauge measured on the machine meanwhile, in its words."""
        self.add_note(BESIDE, words)

    def add_note(self, name: str, value: Any) -> None:
        """Note a part of the environment that is known only now; ``value`` is JSON-ready."""
        with self._write() as connection:
            connection.execute("INSERT OR REPLACE INTO environment VALUES (?, ?)", (name, json.dumps(value)))

    def add_preparation(self, preparation: Preparation) -> None:
        """Keep what prepared an app."""
        with self._write() as connection:
            insert_preparation(connection, preparation)

    def add_slots(self, slots: Sequence[Slot]) -> None:
        """Plan further trials: whole blocks, in one transaction."""
        with self._write() as connection:
            insert_slots(connection, slots)
            connection.execute(
                "UPDATE run SET blocks = (SELECT count(DISTINCT block) FROM slot WHERE NOT confirming)"
            )

    def add_calibration(self, points: Sequence[CalibrationPoint]) -> None:
        """Keep the client's error on this machine: all points, or none."""
        with self._write() as connection:
            insert_calibration(connection, points)

    def add_workers(self, workers: Sequence[Worker]) -> None:
        """Keep who makes the load; those that are known already stay as they are."""
        with self._write() as connection:
            insert_workers(connection, workers)

    def add_trial(self, trial: TrialRecord, again: Slot | None = None) -> None:
        """Keep one trial, whole, in one transaction; when this returns it is on the disk.

        In the same one, one that is to be measured ``again`` is planned once more.
        """
        with self._write() as connection:
            insert_trial(connection, trial)
            if again is not None:
                insert_slots(connection, [again])

    def add_trace(self, trace: Trace) -> None:
        """Keep one traced trial, whole, in one transaction."""
        with self._write() as connection:
            insert_trace(connection, trace)

    def finish(self, finished_utc: str) -> None:
        """Mark the run as complete; one that is complete already stays as it is."""
        with self._write() as connection:
            connection.execute("UPDATE run SET finished_utc = ? WHERE finished_utc IS NULL", (finished_utc,))

    def done(self) -> frozenset[int]:
        """The positions of the plan that are measured already."""
        with self._read() as connection:
            return frozenset(row[0] for row in connection.execute("SELECT position FROM trial"))

    def read(self) -> Run:
        """The whole run but for raw requests and memory timelines."""
        with self._read() as connection:
            return read_run(connection)

    def requests(self, position: int) -> RequestArray:
        """The raw requests of one trial, shape (requests, fields of REQUEST_FIELDS), int64."""
        with self._read() as connection:
            return read_requests(connection, "request", position)

    def others(self, position: int) -> OthersRecord | None:
        """The small requests beside the streams of one trial, None where nobody asked."""
        with self._read() as connection:
            return read_others(connection, position)

    def first_bytes(self, position: int) -> Nanoseconds:
        """The TTFB (ns) of each request that one trial's figures rest on."""
        with self._read() as connection:
            return read_first_bytes(connection, position)

    def processes(self, position: int) -> list[ProcessMemory]:
        """What the kernel said of each process of one trial's server."""
        with self._read() as connection:
            return read_processes(connection, position)

    def server_output(self, position: int) -> str:
        """The last that one trial's server printed."""
        with self._read() as connection:
            return read_server_output(connection, position)

    def memory_samples(self, position: int) -> list[MemorySample]:
        """The RSS timeline of one trial's server tree, by process and time."""
        with self._read() as connection:
            rows = connection.execute(
                "SELECT pid, at_ns, rss_bytes FROM memory_sample WHERE position = ? ORDER BY pid, at_ns",
                (position,),
            )
            return [MemorySample(*row) for row in rows]

    def pss_samples(self, position: int) -> list[PssSample]:
        """The PSS of one trial's server tree, by time."""
        with self._read() as connection:
            return read_pss(connection, position)

    def traces(self) -> list[Trace]:
        """The traced trials in the order of their measurement, without their waterfalls."""
        with self._read() as connection:
            return read_traces(connection)

    def trace(self, case: str) -> Trace | None:
        """The traced trial of the case with this identity, with its waterfall; None without one."""
        with self._read() as connection:
            return read_trace(connection, case)

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        try:
            with _writing(self.path, self._connection):
                yield self._connection
        except FileNotFoundError as error:
            raise MeasurementError(
                f"the store {self.path} was deleted or moved while its run went on; nothing is kept here. "
                "Move it back and go on with --resume, or measure anew"
            ) from error
        except (sqlite3.Error, OSError) as error:
            raise MeasurementError(
                f"cannot write to the store {self.path}: {error}; the trials stored before are kept. "
                f"{_remedy(error)}, then go on with --resume"
            ) from error

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._connection
        except _DAMAGE as error:
            raise StoreError(_unreadable(self.path, error)) from error


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA trusted_schema=OFF")  # a file from elsewhere may hold views and triggers
    return connection


@contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        yield connection
    except BaseException:
        connection.close()
        raise


def _make(path: Path, connection: sqlite3.Connection, header: RunHeader) -> None:
    connection.execute("PRAGMA journal_mode=DELETE")
    try:
        with _writing(path, connection):
            for statement in _schema_statements():
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            insert_header(connection, header)
    except BaseException:
        path.unlink(missing_ok=True)  # a store without its run is none, and would be in the way
        raise


@contextmanager
def _writing(path: Path, connection: sqlite3.Connection) -> Iterator[None]:
    if not path.exists():  # SQLite would go on writing into the deleted file
        raise FileNotFoundError(f"{path} is gone")
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _code(error: Exception) -> int:
    """SQLite's primary result code, 0 where the error is not SQLite's."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _remedy(error: Exception) -> str:
    if _code(error) in {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_BUSY}:
        return "End the other streamgauge that goes on with this run"
    return "Make room or make it writable"


def _unreadable(path: Path, error: Exception) -> str:
    code = _code(error)
    if code == sqlite3.SQLITE_NOTADB:
        return f"{path} is not a streamgauge store (not an SQLite file)"
    if code == sqlite3.SQLITE_BUSY:
        return f"{path} is being written by another process; try again when that is done"
    if isinstance(error, OSError) or code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
        return f"{path} cannot be opened ({error}); see to it that you may read and write it and its folder"
    what = " ".join(str(error).split())
    return f"{path} is damaged and cannot be read ({what}); measure again, or restore a copy"


def _check_schema(path: Path, connection: sqlite3.Connection) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION_ID:
        raise StoreError(f"{path} is not a streamgauge store (no mark of ours in the file)")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by a newer streamgauge (schema {version}; this one reads up to "
            f"{SCHEMA_VERSION}); upgrade streamgauge to read it"
        )
    if version < SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written before the first release (schema {version}; this one reads "
            f"{SCHEMA_VERSION}); measure again"
        )
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    if path.stat().st_size < pages * size:  # SQLite takes the last page's missing bytes for zeros
        raise StoreError(_unreadable(path, sqlite3.DatabaseError("the end of the file is missing")))


def _check_writable(connection: sqlite3.Connection) -> None:
    """SQLite opens what it may only read without a word."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")  # as it is
    connection.execute("ROLLBACK")


def _check_pages(path: Path, connection: sqlite3.Connection) -> None:
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise StoreError(_unreadable(path, sqlite3.DatabaseError(found)))


def _schema_statements() -> Iterator[str]:
    text = (files("results") / "schema.sql").read_text(encoding="utf-8")
    lines = (line.split("--")[0] for line in text.splitlines())
    yield from (part for part in "\n".join(lines).split(";") if part.strip())
