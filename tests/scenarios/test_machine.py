"""What the machine took away, from the kernel's files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scenarios import machine
from scenarios.machine import MachineReading, read_machine, steal_share, throttled_ns

STAT = """cpu  1000 10 300 5000 50 5 15 {all} 90 9
cpu0 500 5 150 2500 25 5 5 {first} 45 4
cpu1 500 5 150 2500 25 0 10 {second} 45 5
cpu10 7 7 7 7 7 7 7 7 7 7
intr 8885 0 9
ctxt 115
"""


@pytest.fixture
def stat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "stat"
    monkeypatch.setattr(machine, "_STAT", path)
    return path


def read(stat: Path, cores: list[int] | None, first: int, second: int) -> MachineReading:
    stat.write_text(STAT.format(all=first + second, first=first, second=second))
    return read_machine(cores)


@pytest.mark.parametrize(
    ("cores", "steal", "everything"),
    [
        (None, 42, 6380 + 42),
        ([0], 40, 3190 + 40),
        ([1], 2, 3190 + 2),
        ([0, 1], 42, 6380 + 42),
        ([10], 7, 7 * 8),
    ],
)
def test_the_time_of_the_watched_cores_is_read_without_counting_guests_twice(
    stat: Path, cores: list[int] | None, steal: int, everything: int
) -> None:
    reading = read(stat, cores, 40, 2)
    assert (reading.steal_jiffies, reading.all_jiffies) == (steal, everything)


def test_the_share_is_of_the_time_between_two_readings(stat: Path) -> None:
    assert steal_share(read(stat, [0], 40, 2), read(stat, [0], 90, 2)) == 1  # nothing else went on
    before = MachineReading(steal_jiffies=10, all_jiffies=1000, throttled_ns=None)
    assert steal_share(before, MachineReading(35, 1100, None)) == pytest.approx(0.25)
    assert steal_share(before, MachineReading(10, 1100, None)) == 0
    assert steal_share(before, before) == 0


def test_a_system_that_does_not_tell_gives_null_and_never_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_STAT", tmp_path / "none")
    reading = read_machine([0])
    assert (reading.steal_jiffies, reading.all_jiffies) == (None, None)
    known = MachineReading(1, 2, 3)
    assert steal_share(reading, known) is None
    assert steal_share(known, reading) is None
    unknown = MachineReading(1, 2, None)
    assert throttled_ns(unknown, known) is None
    assert throttled_ns(known, unknown) is None


def test_throttling_is_the_time_between_two_readings() -> None:
    assert throttled_ns(MachineReading(None, None, 500), MachineReading(None, None, 1700)) == 1200
    assert throttled_ns(MachineReading(None, None, 500), MachineReading(None, None, 500)) == 0


@pytest.mark.parametrize(
    ("membership", "place", "said", "expected"),
    [
        ("0::/app.slice/x", "sys/fs/cgroup/app.slice/x", "usage_usec 9\nthrottled_usec 17\n", 17_000),
        ("0::/", "sys/fs/cgroup", "usage_usec 9\nthrottled_usec 0\n", 0),
        ("0::/", "sys/fs/cgroup", "usage_usec 9\n", None),
        ("0::/gone", "sys/fs/cgroup", "throttled_usec 17\n", None),
        ("3:cpuset:/a\n2:cpu,cpuacct:/b:c", "sys/fs/cgroup/cpu/b:c", "throttled_time 17\n", 17),
        ("3:cpuset:/a", "sys/fs/cgroup/cpu/a", "throttled_time 17\n", None),
    ],
)
def test_throttling_is_that_of_our_own_control_group(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    membership: str,
    place: str,
    said: str,
    expected: int | None,
) -> None:
    monkeypatch.setattr(machine, "Path", lambda absolute: tmp_path / absolute.lstrip("/"))
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "proc" / "self" / "cgroup").write_text(membership + "\n")
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "cpu.stat").write_text(said)
    assert read_machine(None).throttled_ns == expected


@pytest.mark.skipif(sys.platform != "linux", reason="the files are Linux's")
def test_this_machine_tells() -> None:
    before, after = read_machine(None), read_machine(None)
    share = steal_share(before, after)
    assert share is not None
    assert 0 <= share <= 1
    assert before.all_jiffies
