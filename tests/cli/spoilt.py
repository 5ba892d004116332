"""What a shared machine does to trials, and no fault of what is tested: these are measured again."""

from __future__ import annotations

import re
import sqlite3
import subprocess
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from results.run import TrialSummary
from results.store import Store

_MACHINE = re.compile(
    r"held up|could not keep up|of its core|the hypervisor took|a cgroup held|clock was stepped|PSS reached"
    r"|had no answer before there was any stream"
)
_ATTEMPTS = 4

Done = subprocess.CompletedProcess[str]
Result = TypeVar("Result")


def spoilt_in(store: Path) -> list[int]:
    """The positions of the invalid trials, when the machine alone made all of them so; else none."""
    with Store.open(store) as opened:
        invalid = [trial for trial in opened.read().trials if trial.reason is not None]
    return [trial.slot.position for trial in invalid] if all(map(_by_the_machine, invalid)) else []


def again_while_spoilt(measure: Callable[[], Result], folder: Path) -> Result:
    """Measure, and while the machine spoils a new store below ``folder``: remove it and measure again."""
    before = set(folder.rglob("*.sqlite"))
    for _ in range(_ATTEMPTS - 1):
        done = measure()
        made = set(folder.rglob("*.sqlite")) - before
        if not any(map(spoilt_in, made)):
            return done
        for store in made:
            store.unlink()
    return measure()


def resumed_while_spoilt(done: Done, resume: Callable[[], Done], store: Path) -> Done:
    """``done``, or the last of the resumptions that measured again the trials that the machine spoilt."""
    for _ in range(_ATTEMPTS - 1):
        spoilt = spoilt_in(store) if store.exists() else []
        if not spoilt:
            break
        forget(store, spoilt)
        done = resume()
    return done


def forget(store: Path, positions: Iterable[int]) -> None:
    """Make the run one that has not measured the trials at these positions yet, and is not complete."""
    with closing(sqlite3.connect(store)) as connection, connection:
        tables = connection.execute(
            "SELECT m.name FROM sqlite_schema m, pragma_table_info(m.name) c "
            "WHERE m.type = 'table' AND c.name = 'position' AND m.name <> 'slot'"
        ).fetchall()
        for (table,) in tables:
            connection.executemany(
                f"DELETE FROM {table} WHERE position = ?",  # noqa: S608
                [(position,) for position in positions],
            )
        connection.execute("UPDATE run SET finished_utc = NULL")


def _by_the_machine(trial: TrialSummary) -> bool:
    return set(trial.outcomes) == {"verified"} and bool(_MACHINE.search(trial.reason or ""))
