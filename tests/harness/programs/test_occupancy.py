"""One measurement at a time: who is there is told, and who is gone is not."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness.programs.occupancy import occupying
from results.errors import ExitCode, MeasurementError

_HOLDS = """
import time
from harness.programs.occupancy import occupying
with occupying("streamgauge run full") as other:
    print(other, flush=True)
    time.sleep(100)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_the_second_hears_of_the_first_and_the_file_goes_with_it(place: Path) -> None:
    with occupying("streamgauge run quick") as first:
        assert first is None
        assert stat.S_IMODE((place / "streamgauge.lock").stat().st_mode) & 0o022 == 0
        with occupying("streamgauge doctor") as second:
            assert second == f"process {os.getpid()}: streamgauge run quick"
        with occupying("streamgauge run") as third:
            assert third is not None
    assert list(place.iterdir()) == []
    with occupying("streamgauge run") as again:
        assert again is None


def test_a_killed_one_is_not_there_any_more(place: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDS], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "None\n"
        with occupying("streamgauge run") as other:
            assert other == f"process {holder.pid}: streamgauge run full"
        holder.kill()
        holder.wait(30)
    assert (place / "streamgauge.lock").exists()
    with occupying("streamgauge run") as other:
        assert other is None
        assert str(os.getpid()) in (place / "streamgauge.lock").read_text()


@pytest.mark.parametrize("trap", ["link", "folder"])
def test_what_somebody_put_there_is_not_followed(place: Path, trap: str) -> None:
    lock, precious = place / "streamgauge.lock", place / "precious"
    precious.write_text("words")
    if trap == "link":
        lock.symlink_to(precious)
    else:
        lock.mkdir()
    with pytest.raises(MeasurementError, match=r"streamgauge\.lock.*TMPDIR") as refused, occupying("x"):
        pass
    assert refused.value.exit_code is ExitCode.INVALID
    assert precious.read_text() == "words"


def test_a_pipe_that_nobody_reads_holds_nobody_up(place: Path) -> None:
    os.mkfifo(place / "streamgauge.lock")
    with occupying("streamgauge run") as other:
        assert other is None


def test_words_that_would_move_the_terminal_are_not_shown(place: Path) -> None:
    with occupying("streamgauge run \x1b[2J"), occupying("x") as other:
        assert other == "a process that does not say which"
