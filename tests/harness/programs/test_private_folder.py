"""Private folders: who may enter, and that none is left behind, whoever was killed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from harness.programs.private_folder import PREFIX, is_abandoned, private_folder

_HOLDS = """
import sys, time
from harness.programs.private_folder import private_folder
from harness.programs.processes import Processes
with private_folder() as folder, Processes(folder) as processes:
    process = processes.start(["sleep", "100"], cwd=folder, env={}, output=folder / "log")
    print(folder, process.pid, flush=True)
    time.sleep(100)
"""


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """TMPDIR, with a short path."""
    with tempfile.TemporaryDirectory(prefix="sg-") as name:
        monkeypatch.setenv("TMPDIR", name)
        monkeypatch.setattr(tempfile, "tempdir", None)
        yield Path(name)


def left(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_is_the_user_s_own_and_goes_with_the_block(place: Path) -> None:
    with private_folder() as folder:
        assert folder.parent == place
        assert folder.stat().st_mode & 0o777 == 0o700
        assert not is_abandoned(folder)
        (folder / "log").write_text("words")
    assert left(place) == []


def test_a_long_tmpdir_leaves_room_for_a_socket(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = place / ("long" * 20)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with private_folder() as folder:
        assert len(str(folder)) < 80
    assert left(deep) == []


@pytest.mark.parametrize("victims", ["harness", "harness and supervisor"])
def test_a_killed_harness_leaves_no_folder_behind(place: Path, victims: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDS], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    ) as harness:
        assert harness.stdout is not None
        name, pid = harness.stdout.readline().split()
        started = psutil.Process(int(pid))
        keeper = started.parent()
        assert keeper is not None
        supervisor = keeper.parent()
        assert supervisor is not None
        if victims == "harness":
            harness.kill()
            wait_for(lambda: left(place) == [])
        else:
            supervisor.suspend()
            harness.kill()
            supervisor.kill()
            wait_for(lambda: not started.is_running())
            assert is_abandoned(Path(name))
            with private_folder():
                assert not Path(name).exists()
        harness.wait(30)
    assert not started.is_running()


def test_what_is_not_ours_is_left_alone(place: Path) -> None:
    (place / f"{PREFIX}without-a-lock").mkdir()
    (place / f"{PREFIX}file").write_text("")
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "owner.lock").write_text("")
    (place / f"{PREFIX}link").symlink_to(elsewhere)
    before = left(place)
    with private_folder():
        pass
    assert left(place) == before


def test_one_that_never_had_a_lock_is_abandoned_after_an_hour(place: Path) -> None:
    old, young = place / f"{PREFIX}old", place / f"{PREFIX}young"
    for folder in (old, young):
        folder.mkdir()
    hours_ago = time.time() - 2 * 3600
    os.utime(old, (hours_ago, hours_ago))
    with private_folder():
        assert not old.exists()
        assert young.exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a folder of another user")
def test_another_user_s_folder_is_left_alone(place: Path) -> None:
    theirs = place / f"{PREFIX}theirs"
    theirs.mkdir()
    (theirs / "owner.lock").write_text("")
    os.chown(theirs, 12345, 12345)
    assert not is_abandoned(theirs)
