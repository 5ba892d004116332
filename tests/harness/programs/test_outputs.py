"""What a program prints without an end takes a bounded part of the disk, and its begin and end are kept."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import pytest

from harness.programs import outputs
from harness.programs.outputs import shorten
from harness.programs.processes import Processes

from .branded import Start, linux, new_brand, wait_for

_PRINTS = """
import sys
print("begin")
for number in range(6_000_000):
    print(number)
print("end")
"""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "MOST_BYTES", 4 << 20)
    monkeypatch.setattr(outputs, "KEPT_BYTES", 1 << 16)
    monkeypatch.setattr(outputs, "_LOOK_EVERY_S", 0.02)


@linux
@pytest.mark.usefixtures("small")
def test_the_middle_of_much_is_given_back(tmp_path: Path) -> None:
    with new_brand() as brand, Processes() as processes:
        process = Start(processes, brand, tmp_path)(sys.executable, "-c", _PRINTS)
        assert process.wait(60) == 0
        size = process.output.stat().st_size
        assert size > 40_000_000
        wait_for(lambda: process.output.stat().st_blocks * 512 < 5 << 20)
        assert process.output_head().startswith("begin\n0\n1\n")
        assert process.output_tail().endswith("5999999\nend\n")


@pytest.mark.usefixtures("small")
def test_where_no_holes_are_made_it_is_emptied_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: type("Libc", (), {"fallocate": _Refusing()})())
    output = tmp_path / "log"
    with output.open("ab") as writer:
        writer.write(b"x" * (5 << 20))
        writer.flush()
        shorten(output)
        assert output.stat().st_size == 0
        writer.write(b"more")
    assert output.read_bytes() == b"more"


class _Refusing:
    argtypes: object = None

    def __call__(self, *_: object) -> int:
        return -1


@pytest.mark.usefixtures("small")
def test_little_is_left_as_it_is(tmp_path: Path) -> None:
    output = tmp_path / "log"
    output.write_bytes(b"x" * (1 << 20))
    shorten(output)
    assert output.read_bytes() == b"x" * (1 << 20)
