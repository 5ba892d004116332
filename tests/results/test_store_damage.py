"""A file that is no whole store gets a message with its path and a remedy, never SQLite's own error."""

from __future__ import annotations

import functools
import resource
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from results.errors import ExitCode, MeasurementError, StoreError
from results.store import SCHEMA_VERSION, Store
from tests.results.examples import (
    STREAM,
    WHOLE,
    load_record,
    request,
    run_header,
    trial_record,
    verification,
)

PAGE_BYTES = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A whole store of about twenty pages."""
    path = tmp_path / "run.sqlite"
    with Store.create(path, run_header()) as store:
        store.add_verifications({WHOLE.identity: verification(), STREAM.identity: verification()})
        for position in range(4):
            store.add_trial(trial_record(position, load=load_record([request() for _ in range(40)])))
    return path


def read_all(path: Path) -> None:
    with Store.open(path) as store:
        store.read()
        for position in store.done():
            store.requests(position)
            store.memory_samples(position)


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def _other_sqlite(path: Path) -> None:
    path.unlink()
    change(path, "CREATE TABLE run (id TEXT)")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (Path.unlink, ["no run is stored at", "streamgauge list"]),
        (_folder, ["no run is stored at", "streamgauge list"]),
        (lambda path: path.write_bytes(b""), ["not a streamgauge store"]),
        (lambda path: path.write_text("short"), ["not a streamgauge store"]),
        (lambda path: path.write_text("position,ttfb\n" * 5000), ["not a streamgauge store"]),
        (_other_sqlite, ["not a streamgauge store"]),
        (
            lambda path: change(path, f"PRAGMA user_version={SCHEMA_VERSION + 1}"),
            [f"newer streamgauge (schema {SCHEMA_VERSION + 1}", f"up to {SCHEMA_VERSION}", "upgrade"],
        ),
        (
            lambda path: change(path, f"PRAGMA user_version={SCHEMA_VERSION - 1}"),
            [f"before the first release (schema {SCHEMA_VERSION - 1}", "measure again"],
        ),
        (lambda path: change(path, "DROP TABLE figure"), ["damaged", "restore a copy"]),
        (lambda path: change(path, "DELETE FROM run"), ["damaged", "holds no run", "restore a copy"]),
        (
            lambda path: change(path, "UPDATE environment SET value = '{'"),
            ["damaged", "measure again, or restore a copy"],
        ),
        (lambda path: change(path, "UPDATE request SET outcome = 'splendid'"), ["damaged", "splendid"]),
        (lambda path: change(path, "UPDATE run SET suite = CAST(x'ff' AS TEXT)"), ["damaged", "UTF-8"]),
    ],
)
def test_what_is_no_store_is_told_with_its_path(
    path: Path, break_it: Callable[[Path], object], words: list[str]
) -> None:
    break_it(path)
    with pytest.raises(StoreError) as told:
        read_all(path)
    message = str(told.value)
    assert str(path) in message
    assert all(word in message for word in words)
    assert "\n" not in message
    assert told.value.exit_code is ExitCode.USAGE


def test_a_name_that_no_file_can_have_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        Store.open(tmp_path / ("n" * 300))


def test_a_truncated_store_is_told_wherever_it_was_cut(path: Path) -> None:
    whole = path.read_bytes()
    lengths = [1, 99, 100, PAGE_BYTES - 1, PAGE_BYTES, len(whole) - 1, len(whole) - PAGE_BYTES]
    for length in [*lengths, *np.random.default_rng(1).integers(0, len(whole), 40)]:
        path.write_bytes(whole[:length])
        with pytest.raises(StoreError, match=r"run\.sqlite (is damaged|is not a streamgauge store)"):
            read_all(path)


def test_a_store_that_lost_its_end_is_told_without_looking_at_every_page(path: Path) -> None:
    whole = path.read_bytes()
    for length in (len(whole) - 1, len(whole) - PAGE_BYTES):
        path.write_bytes(whole[:length])
        with pytest.raises(StoreError, match=r"run\.sqlite is damaged"):
            Store.open_unchecked(path)


def test_a_damaged_page_is_told_wherever_it_is(path: Path) -> None:
    whole = path.read_bytes()
    rng = np.random.default_rng(2)
    for start in range(0, len(whole), PAGE_BYTES):
        path.write_bytes(whole[:start] + rng.bytes(PAGE_BYTES) + whole[start + PAGE_BYTES :])
        with pytest.raises(StoreError, match=r"run\.sqlite (is damaged|is not a streamgauge store)"):
            read_all(path)


def test_a_single_wrong_byte_is_told_or_harmless(path: Path) -> None:
    whole = path.read_bytes()
    rng = np.random.default_rng(3)
    told = []
    for place, bit in zip(rng.integers(0, len(whole), 400), rng.integers(0, 8, 400), strict=True):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(bit)
        path.write_bytes(damaged)
        try:
            read_all(path)
        except StoreError as error:
            told.append(str(error))
    assert len(told) > 20
    assert all(str(path) in message for message in told)


def test_a_store_that_another_process_holds_is_not_called_damaged(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "connect", functools.partial(sqlite3.connect, timeout=0))
    with (
        Store.open(path, writable=True) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match=r"run\.sqlite is being written by another process; try again"):
            Store.open(path)
        with pytest.raises(MeasurementError, match=r"run\.sqlite.*kept.*End the other streamgauge"):
            store.add_trial(trial_record(4))
        other.execute("ROLLBACK")
        store.add_trial(trial_record(4))
    read_all(path)


def test_a_full_disk_keeps_the_trials_stored_before(path: Path) -> None:
    with Store.open(path, writable=True) as store:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + PAGE_BYTES, hard))
        try:
            with pytest.raises(MeasurementError) as told:
                store.add_trial(trial_record(4, load=load_record([request() for _ in range(2000)])))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert store.done() == {0, 1, 2, 3}
        store.add_trial(trial_record(5))
    message = str(told.value)
    assert str(path) in message
    assert "trials stored before are kept" in message
    assert "Make room" in message
    assert "--resume" in message
    assert told.value.exit_code is ExitCode.INVALID
    with Store.open(path) as again:
        assert again.done() == {0, 1, 2, 3, 5}


def test_a_store_that_is_moved_away_under_the_run_is_told_and_goes_on_when_it_is_back(
    path: Path, tmp_path: Path
) -> None:
    with Store.open(path, writable=True) as store:
        path.rename(tmp_path / "elsewhere.sqlite")
        with pytest.raises(MeasurementError, match=r"run\.sqlite was deleted or moved.*--resume"):
            store.add_trial(trial_record(4))
        assert list(tmp_path.iterdir()) == [tmp_path / "elsewhere.sqlite"]
    (tmp_path / "elsewhere.sqlite").rename(path)
    with Store.open(path, writable=True) as store:
        assert store.done() == {0, 1, 2, 3}
        store.add_trial(trial_record(4))
