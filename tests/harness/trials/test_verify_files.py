"""Which cases share a server when they are verified, and where two bodies part."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.trials.verify import first_difference, groups_of
from tests.harness.examples import FAILING, SERVER, TARGET, orders

MIB = 1 << 20
#: Neither a power of two nor a divisor of one: pieces never look alike.
PATTERN = bytes(range(251))


@pytest.fixture
def differ(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "left", tmp_path / "right"


def body(length: int) -> bytes:
    return (PATTERN * (length // len(PATTERN) + 1))[:length]


@pytest.mark.parametrize("length", [0, 1, 1000, MIB - 1, MIB, MIB + 1, 3 * MIB])
def test_equal_files_have_no_difference(differ: tuple[Path, Path], length: int) -> None:
    left, right = differ
    left.write_bytes(body(length))
    right.write_bytes(body(length))
    assert first_difference(left, right) is None


@pytest.mark.parametrize("offset", [0, 1, 999, MIB - 1, MIB, MIB + 1, 2 * MIB + 5, 3 * MIB - 1])
def test_the_first_wrong_byte_is_found_wherever_it_is(differ: tuple[Path, Path], offset: int) -> None:
    left, right = differ
    whole = body(3 * MIB)
    wrong = bytearray(whole)
    for place in {offset, 3 * MIB - 1}:
        wrong[place] ^= 1
    left.write_bytes(whole)
    right.write_bytes(wrong)
    assert first_difference(left, right) == first_difference(right, left) == offset


@pytest.mark.parametrize("length", [0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB])
def test_a_file_that_ends_early_differs_at_its_end(differ: tuple[Path, Path], length: int) -> None:
    left, right = differ
    whole = body(2 * MIB + 1)
    left.write_bytes(whole)
    right.write_bytes(whole[:length])
    assert first_difference(left, right) == first_difference(right, left) == length


def test_cases_are_grouped_by_the_server_that_they_need() -> None:
    cases = orders(
        target=TARGET + FAILING + TARGET.replace("orders.csv", "other").replace("shop:app", "other:app"),
        server=SERVER.replace('"sync"', '["sync", "gthread"]') + "timeout_s = [30, 60]\n",
        scenario='\n[[scenario]]\nkind = "download"\nusers = [1, 8]\n',
    )
    groups = groups_of(cases)
    assert len(groups) == 2 * 2 * 2
    for group in groups:
        assert len({(case.target.app, str(sorted(case.server_options.items()))) for case in group.cases}) == 1
    grouped = [case.case.identity for group in groups for case in group.cases]
    assert sorted(grouped) == sorted(case.case.identity for case in cases)


def test_a_stream_is_in_the_group_of_its_baseline() -> None:
    """Only there is it compared with it."""
    cases = orders(
        target=TARGET + TARGET.replace("rows", "bytes"),
        server=SERVER.replace('"sync"', '["sync", "gevent"]') + SERVER + "workers = 1\n",
    )
    for group in groups_of(cases):
        held = {case.case.identity for case in group.cases}
        assert {case.case.baseline for case in group.cases if case.case.baseline} <= held


def test_apps_of_one_name_in_two_folders_are_two_servers(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    def at(folder: str) -> str:
        named = TARGET.replace("orders.csv", folder)
        return named.replace("total = 100", f'total = 100\ndirectory = "{tmp_path / folder}"')

    assert len(groups_of(orders(target=at("a") + at("b")))) == 2
