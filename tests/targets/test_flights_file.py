"""The file in the cache: its bytes, and what becomes of it with several makers, dead ones and full disks."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from targets import csv_chunks, flights_file
from targets.flights import iter_all_rows
from targets.flights_file import FileError, file_of


@pytest.fixture
def folder(flights_cache: Path) -> Path:
    """Where the files are, with none there."""
    where = flights_cache / "streamgauge" / "files"
    shutil.rmtree(where, ignore_errors=True)
    return where


def python(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "loading.lock")


@pytest.mark.parametrize("rows", [0, 1, 499, 500, 1_234])
def test_the_file_holds_what_the_csv_app_sends(rows: int, folder: Path) -> None:
    path = file_of(rows)
    assert path.parent == folder
    assert path.read_bytes() == csv_chunks.whole(iter_all_rows(rows)).encode()


def test_it_is_made_once(folder: Path) -> None:
    path = file_of(700)
    made = path.stat()
    assert file_of(700) == path
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (made.st_ino, made.st_mtime_ns)


def test_several_processes_make_it_once(folder: Path) -> None:
    code = "import os; from targets.flights_file import file_of; print(os.stat(file_of(20_000)).st_ino)"
    outputs = [process.communicate() for process in [python(code) for _ in range(3)]]
    assert len(set(outputs)) == 1, outputs
    assert outputs[0][0].strip() == str(file_of(20_000).stat().st_ino)
    assert len(files(folder)) == 1


def test_the_eight_that_were_made_last_are_kept(folder: Path) -> None:
    paths = [file_of(rows) for rows in range(1, 9)]
    for number, path in enumerate(paths):
        os.utime(path, ns=(10**9 * number, 10**9 * number))  # no two are of one instant
    assert len(files(folder)) == 8
    last = file_of(20)
    assert files(folder) == sorted(path.name for path in (*paths[1:], last))
    assert last.read_bytes() == csv_chunks.whole(iter_all_rows(20)).encode()


def test_what_is_just_being_read_is_read_to_its_end(folder: Path) -> None:
    with file_of(1).open("rb") as reading:
        for rows in range(2, 11):
            file_of(rows)
        assert not file_of(10).with_name(Path(reading.name).name).exists()
        assert reading.read() == csv_chunks.whole(iter_all_rows(1)).encode()


def test_a_killed_maker_leaves_nothing_that_looks_made(folder: Path) -> None:
    process = python("""
import os, signal
from targets import csv_chunks, flights_file
def killed(rows, size):
    yield "half of it"
    os.kill(os.getpid(), signal.SIGKILL)
csv_chunks.by_rows = killed
flights_file.file_of(600)
""")
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert [Path(name).suffix for name in files(folder)] == [".loading"]

    path = file_of(600)

    assert files(folder) == [path.name]
    assert path.read_bytes() == csv_chunks.whole(iter_all_rows(600)).encode()


def test_a_full_disk_is_told_and_leaves_nothing(folder: Path) -> None:
    process = python("""
import resource, signal
from targets.flights_file import FileError, file_of
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    file_of(20_000)
except FileError as error:
    print(error)
""")
    output, errors = process.communicate()
    assert "could not be written to" in output, errors
    assert "92 bytes a row" in output
    assert files(folder) == []


def test_a_cache_that_cannot_be_written_is_named_with_the_remedy(folder: Path) -> None:
    folder.write_bytes(b"")
    try:
        with pytest.raises(FileError, match=rf"{folder}.*name another.*XDG_CACHE_HOME=") as told:
            file_of(1)
    finally:
        folder.unlink()
    assert isinstance(told.value.__cause__, OSError)


def test_another_edition_of_the_flights_is_another_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file_of(1)
    monkeypatch.setattr(flights_file, "edition", lambda: "flights-v99-0")
    assert file_of(1) != before
