"""The store: one SQLite file a run, one transaction a trial.

A rollback journal with ``synchronous=FULL`` (sqlite.org/atomiccommit.html): a trial that was
acknowledged is on the disk whatever ends the process or the machine, and the file stays one file.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from results.case import Case
from results.errors import MeasurementError, StoreError
from results.metrics import FIGURES
from results.records import (
    MISSING,
    REQUEST_FIELDS,
    MemorySample,
    Outcome,
    RequestArray,
    Slot,
    TrialRecord,
    Verification,
)
from results.run import Run, RunHeader, TrialSummary

#: "sgug": tells our files from other SQLite files (PRAGMA application_id).
APPLICATION_ID = 0x73677567
SCHEMA_VERSION = 1

_OUTCOME_COLUMN = REQUEST_FIELDS.index("outcome")
_OUTCOME_LABELS = {int(outcome): outcome.label for outcome in Outcome}
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
        try:
            if not path.is_file():
                raise StoreError(f"no run is stored at {path}; `streamgauge list` shows the runs there are")
            # A killed run leaves its journal; only a writable connection can roll it back.
            file = path.resolve()
            journal = file.with_name(file.name + "-journal").exists()
            with _closed_on_error(_connect(path, "rw" if writable or journal else "ro")) as connection:
                _check(path, connection)
        except (*_DAMAGE, OSError) as error:
            raise StoreError(_unreadable(path, error)) from error
        return cls(path, connection)

    def add_verifications(self, found: Mapping[str, Verification]) -> None:
        """Keep what verify learned, by case identity: of all cases, or of none."""
        with self._write() as connection:
            for case, verification in found.items():
                values = {name: getattr(verification, name) for name in Verification.__slots__}
                _insert(connection, "verification", {"case": case, **values})

    def add_trial(self, trial: TrialRecord) -> None:
        """Keep one trial, whole, in one transaction; when this returns it is on the disk."""
        with self._write() as connection:
            _insert_trial(connection, trial)

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
            return _read_run(connection)

    def requests(self, position: int) -> RequestArray:
        """The raw requests of one trial, shape (requests, fields of REQUEST_FIELDS), int64."""
        import numpy as np  # noqa: PLC0415  - heavy, and few readers want raw requests

        columns = ", ".join(
            f"coalesce({name}, {MISSING})" if name != "outcome" else name for name in REQUEST_FIELDS
        )
        numbers = {label: number for number, label in _OUTCOME_LABELS.items()}
        with self._read() as connection:
            rows = connection.execute(
                f"SELECT {columns} FROM request WHERE position = ? ORDER BY rowid",  # noqa: S608
                (position,),
            )
            array = [(*row[:_OUTCOME_COLUMN], numbers[row[_OUTCOME_COLUMN]]) for row in rows]
        return np.array(array, dtype=np.int64).reshape(-1, len(REQUEST_FIELDS))

    def memory_samples(self, position: int) -> list[MemorySample]:
        """The RSS timeline of one trial's server tree, by process and time."""
        with self._read() as connection:
            rows = connection.execute(
                "SELECT pid, at_ns, rss_bytes FROM memory_sample WHERE position = ? ORDER BY pid, at_ns",
                (position,),
            )
            return [MemorySample(*row) for row in rows]

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
            _insert_header(connection, header)
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


def _check(path: Path, connection: sqlite3.Connection) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION_ID:
        raise StoreError(f"{path} is not a streamgauge store (no mark of ours in the file)")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by a newer streamgauge (schema {version}; this one reads up to "
            f"{SCHEMA_VERSION}); upgrade streamgauge to read it"
        )
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise StoreError(_unreadable(path, sqlite3.DatabaseError(found)))


def _schema_statements() -> Iterator[str]:
    text = (files("results") / "schema.sql").read_text(encoding="utf-8")
    lines = (line.split("--")[0] for line in text.splitlines())
    yield from (part for part in "\n".join(lines).split(";") if part.strip())


def _insert(connection: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" for _ in row)
    connection.execute(
        f'INSERT INTO "{table}" ({names}) VALUES ({marks})',  # noqa: S608
        tuple(row.values()),
    )


def _insert_header(connection: sqlite3.Connection, header: RunHeader) -> None:
    _insert(
        connection,
        "run",
        {
            "id": header.run_id,
            "created_utc": header.created_utc,
            "suite": header.suite,
            "suite_toml": header.suite_toml,
            "seed": header.seed,
            "blocks": header.blocks,
            "warmup_s": header.warmup_s,
            "window_s": header.window_s,
            "version": header.version,
            "command": json.dumps(list(header.command)),
        },
    )
    connection.executemany(
        "INSERT INTO environment VALUES (?, ?)",
        [(name, json.dumps(value)) for name, value in header.environment.items()],
    )
    connection.executemany(
        'INSERT INTO "case" VALUES (?, ?, ?, ?)',
        [
            (case.identity, json.dumps(dict(case.parameters)), case.baseline, case.expect_failure)
            for case in header.cases
        ],
    )
    connection.executemany(
        "INSERT INTO slot VALUES (?, ?, ?, ?)",
        [(slot.position, slot.block, slot.case, slot.control) for slot in header.slots],
    )


def _insert_trial(connection: sqlite3.Connection, trial: TrialRecord) -> None:
    load, server = trial.load, trial.server
    row: dict[str, Any] = {
        "position": trial.position,
        "started_utc": trial.started_utc,
        "started_ns": trial.started_ns,
        "finished_ns": trial.finished_ns,
        "reason": trial.reason,
        "server_output": trial.server_output,
    }
    if load is not None:
        row |= {
            "window_open_ns": load.window_open_ns,
            "window_close_ns": load.window_close_ns,
            "drained_ns": load.drained_ns,
            "client_cpu_ns": load.client_cpu_ns,
            "client_wall_ns": load.client_wall_ns,
            "errors": json.dumps(dict(load.errors)),
        }
    if server is not None:
        row |= {
            "ran_as": server.ran_as,
            "server_cpu_ns": server.cpu_ns,
            "machine_steal": server.machine_steal,
            "machine_throttled_ns": server.machine_throttled_ns,
            "memory_method": server.memory_method,
            "cpu_method": server.cpu_method,
        }
    _insert(connection, "trial", row)
    for name, value in trial.figures.items():
        figure = FIGURES[name]
        connection.execute(
            "INSERT INTO figure VALUES (?, ?, ?, ?, ?)",
            (trial.position, name, figure.definition, figure.unit.value, value),
        )
    if server is not None:
        connection.executemany(
            "INSERT INTO process VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    trial.position,
                    process.pid,
                    process.role,
                    process.rss_at_reset_bytes,
                    process.hwm_bytes,
                    process.rss_at_end_bytes,
                    process.sampled_peak_bytes,
                )
                for process in server.processes
            ],
        )
        connection.executemany(
            "INSERT INTO memory_sample VALUES (?, ?, ?, ?)",
            [(trial.position, item.pid, item.at_ns, item.rss_bytes) for item in server.samples],
        )
    if load is not None:
        marks = ", ".join("?" for _ in range(len(REQUEST_FIELDS) + 1))
        connection.executemany(
            f"INSERT INTO request VALUES ({marks})",  # noqa: S608
            (_request_row(trial.position, record) for record in load.requests.tolist()),
        )


def _request_row(position: int, record: list[int]) -> tuple[int | str | None, ...]:
    values: list[int | str | None] = [None if value == MISSING else value for value in record]
    values[_OUTCOME_COLUMN] = _OUTCOME_LABELS[record[_OUTCOME_COLUMN]]
    return (position, *values)


def _read_run(connection: sqlite3.Connection) -> Run:
    row = connection.execute("SELECT * FROM run").fetchone()
    if row is None:
        raise sqlite3.DatabaseError("it holds no run")
    slots = [
        Slot(item["position"], item["block"], item["case"], bool(item["control"]))
        for item in connection.execute("SELECT * FROM slot ORDER BY position")
    ]
    cases = [
        Case(json.loads(item["parameters"]), item["baseline"], bool(item["expect_failure"]))
        for item in connection.execute('SELECT * FROM "case" ORDER BY rowid')
    ]
    environment = {
        item["name"]: json.loads(item["value"]) for item in connection.execute("SELECT * FROM environment")
    }
    header = RunHeader(
        run_id=row["id"],
        created_utc=row["created_utc"],
        suite=row["suite"],
        suite_toml=row["suite_toml"],
        seed=row["seed"],
        blocks=row["blocks"],
        warmup_s=row["warmup_s"],
        window_s=row["window_s"],
        version=row["version"],
        command=json.loads(row["command"]),
        cases=cases,
        slots=slots,
        environment=environment,
    )
    verifications = {
        item["case"]: Verification(**{name: item[name] for name in Verification.__slots__})
        for item in connection.execute("SELECT * FROM verification")
    }
    return Run(header, row["finished_utc"], verifications, _read_trials(connection, slots))


def _read_trials(connection: sqlite3.Connection, slots: list[Slot]) -> list[TrialSummary]:
    by_position = {slot.position: slot for slot in slots}
    figures: dict[int, dict[str, float | None]] = {}
    for item in connection.execute("SELECT position, name, value FROM figure"):
        figures.setdefault(item["position"], {})[item["name"]] = item["value"]
    outcomes: dict[int, dict[str, int]] = {}
    for item in connection.execute(
        "SELECT position, outcome, count(*) AS n FROM request GROUP BY position, outcome"
    ):
        outcomes.setdefault(item["position"], {})[item["outcome"]] = item["n"]
    return [
        TrialSummary(
            slot=by_position[item["position"]],
            reason=item["reason"],
            started_ns=item["started_ns"],
            finished_ns=item["finished_ns"],
            window_open_ns=item["window_open_ns"],
            window_close_ns=item["window_close_ns"],
            ran_as=item["ran_as"],
            figures=figures.get(item["position"], {}),
            outcomes=outcomes.get(item["position"], {}),
            errors=json.loads(item["errors"] or "{}"),
        )
        for item in connection.execute("SELECT * FROM trial ORDER BY position")
    ]
