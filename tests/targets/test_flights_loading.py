import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from targets import flights
from targets.flights import TOTAL_ROWS, FlightsError, ensure_loaded, iter_all_rows


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the database in a new, empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "streamgauge"


def python(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def databases(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name != "loading.lock"]


def test_first_use_loads_and_reports_progress(fresh: Path) -> None:
    seen: list[tuple[int, int]] = []
    path = ensure_loaded(lambda done, total: seen.append((done, total)))
    assert path.parent == fresh
    assert databases(fresh) == [path.name]
    assert seen[0] == (0, TOTAL_ROWS)
    assert seen[-1] == (TOTAL_ROWS, TOTAL_ROWS)
    assert len(seen) > 10
    assert seen == sorted(seen)
    seen.clear()
    assert ensure_loaded(lambda done, total: seen.append((done, total))) == path
    assert seen == []


def test_reading_loads_by_itself(fresh: Path) -> None:
    assert len(list(iter_all_rows(5))) == 5
    assert len(databases(fresh)) == 1


def test_the_name_tells_format_and_source(monkeypatch: pytest.MonkeyPatch) -> None:
    name = ensure_loaded().name
    monkeypatch.setattr(flights, "_FORMAT", 99)
    assert flights._database_path().name != name
    monkeypatch.undo()
    monkeypatch.setattr(flights, "_SOURCE_SHA256", "0" * 64)
    assert flights._database_path().name != name


def test_two_processes_load_at_once(fresh: Path) -> None:
    code = """
from targets.flights import ensure_loaded, iter_all_rows
reports = []
ensure_loaded(lambda done, total: reports.append(done))
print(bool(reports), len(list(iter_all_rows(1000))))
"""
    outputs = [process.communicate() for process in [python(code), python(code)]]
    assert sorted(outputs) == [("False 1000\n", ""), ("True 1000\n", "")]
    assert len(databases(fresh)) == 1


def test_a_killed_load_leaves_nothing_that_looks_loaded(fresh: Path) -> None:
    process = python("""
import os, signal
from targets.flights import ensure_loaded
ensure_loaded(lambda done, total: done > 200_000 and os.kill(os.getpid(), signal.SIGKILL))
""")
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert [Path(name).suffix for name in databases(fresh)] == [".loading"]

    path = ensure_loaded()

    assert databases(fresh) == [path.name]
    assert len(list(iter_all_rows(2))) == 2


def test_an_interrupted_load_cleans_up(fresh: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure_loaded(interrupt)
    assert databases(fresh) == []


def one_byte_short(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)


def half(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 8192 * 4096)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def no_database(path: Path) -> None:
    path.write_bytes(b"<html>not found</html>" * 4096)


def last_row_missing(path: Path) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("DELETE FROM flights WHERE rowid = ?", (TOTAL_ROWS,))
    connection.close()


@pytest.fixture
def sound(flights_cache: Path, fresh: Path) -> Path:
    """A copy of the loaded database in the new cache."""
    there = next((flights_cache / "streamgauge").glob("*.sqlite"))
    fresh.mkdir()
    path = Path(shutil.copy(there, fresh))
    assert ensure_loaded(lambda *_: pytest.fail("loaded a sound one")) == path
    return path


@pytest.mark.parametrize("damage", [one_byte_short, half, empty, no_database, last_row_missing])
def test_a_damaged_database_is_not_taken_for_a_sound_one(damage: Callable[[Path], None], sound: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt  # it is being loaded again: to the end it is below, once for all

    damage(sound)
    with pytest.raises(KeyboardInterrupt):
        ensure_loaded(interrupt)


def test_a_damaged_database_is_loaded_again(sound: Path) -> None:
    content = sound.read_bytes()
    half(sound)

    assert list(iter_all_rows(3))
    assert sound.read_bytes() == content


def test_a_cache_that_cannot_be_written_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = tmp_path / "a-file"
    in_the_way.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(in_the_way))
    with pytest.raises(FlightsError, match=rf"{in_the_way}.*name another.*XDG_CACHE_HOME=") as told:
        next(iter_all_rows(1))
    assert isinstance(told.value.__cause__, OSError)


def test_a_full_disk_is_told_and_leaves_nothing(fresh: Path) -> None:
    process = python("""
import resource, signal
from targets.flights import FlightsError, ensure_loaded
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5_000_000, 5_000_000))
try:
    ensure_loaded()
except FlightsError as error:
    print(error)
""")
    output, errors = process.communicate()
    assert "could not be loaded into" in output, errors
    assert "40 MB" in output
    assert databases(fresh) == []


@pytest.mark.parametrize("content", [b"something else", None])
def test_a_wrong_or_missing_source_is_named(
    content: bytes | None, fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "flights.csv.xz"
    if content is not None:
        source.write_bytes(content)
    monkeypatch.setattr(flights, "_SOURCE", source)
    with pytest.raises(FlightsError, match=f"{source} .*install streamgauge again"):
        ensure_loaded()
    assert databases(fresh) == []
