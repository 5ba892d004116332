"""The split of a machine's cores between server, load and harness."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.programs import cores as cores_module
from harness.programs.cores import Cores, divide, split_cores


def alone(cores: list[int]) -> dict[int, frozenset[int]]:
    return {core: frozenset({core}) for core in cores}


def in_pairs(cores: list[int], distance: int) -> dict[int, frozenset[int]]:
    """Hyper-threads N and N + distance share a core."""
    pairs = {}
    for core in cores:
        low = core - distance if (core // distance) % 2 else core
        pairs[core] = frozenset({low, low + distance})
    return pairs


@pytest.mark.parametrize(
    ("cores", "split"),
    [
        ([0], Cores()),
        ([], Cores()),
        ([0, 1], Cores([0], [1], [1])),
        ([2, 5], Cores([2], [5], [5])),
        ([0, 1, 2], Cores([0], [2], [1])),
        ([0, 1, 2, 3], Cores([0, 1], [3], [2])),
        ([1, 3, 5, 7, 9], Cores([1, 3, 5], [9], [7])),
    ],
)
def test_the_load_has_a_core_of_its_own(cores: list[int], split: Cores) -> None:
    assert divide(cores, alone(cores)) == split


@pytest.mark.parametrize(
    ("distance", "server"), [(1, [0, 1, 2, 3, 4, 5]), (4, [0, 1, 2, 4, 5])], ids=["neighbours", "halves"]
)
def test_the_server_is_kept_off_the_hyper_threads_of_the_load(distance: int, server: list[int]) -> None:
    cores = list(range(8))
    split = divide(cores, in_pairs(cores, distance))
    assert (split.load, split.harness, split.server) == ([7], [6], server)


def test_a_small_machine_has_no_thread_to_spare() -> None:
    assert divide([0, 1, 2], {0: frozenset({0, 2}), 1: frozenset({1}), 2: frozenset({0, 2})}).server == [0]
    four = in_pairs([0, 1, 2, 3], 2)
    assert divide([0, 1, 2, 3], four) == Cores([0], [3], [2])


def test_a_machine_of_one_core_with_many_threads_still_has_a_server() -> None:
    cores = list(range(4))
    assert divide(cores, dict.fromkeys(cores, frozenset(cores))) == Cores([0, 1], [3], [2])


@given(st.sets(st.integers(0, 200), min_size=2, max_size=40), st.sampled_from([1, 2, 4, 8]))
def test_any_machine_is_split_into_its_own_cores(found: set[int], distance: int) -> None:
    cores = sorted(found)
    split = divide(cores, in_pairs(cores, distance))
    assert split.server
    assert split.load
    assert split.harness
    used = [*split.server, *split.load, *split.harness]
    assert set(used) <= found
    assert not set(split.server) & {*split.load, *split.harness}
    if len(cores) > 2:
        assert len(set(used)) == len(used)


@pytest.mark.parametrize(
    ("listed", "server"),
    [
        ({7: "3,7"}, [0, 1, 2, 4, 5]),
        ({7: "4-5,7"}, [0, 1, 2, 3]),
        ({7: "7"}, [0, 1, 2, 3, 4, 5]),
        ({}, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_hyper_threads_are_those_that_the_kernel_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listed: dict[int, str], server: list[int]
) -> None:
    for core, text in listed.items():
        folder = tmp_path / f"sys/devices/system/cpu/cpu{core}/topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(text + "\n")
    monkeypatch.setattr(cores_module, "Path", lambda absolute: tmp_path / absolute.lstrip("/"))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert split_cores() == Cores(server, [7], [6])


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_only_cores_that_this_process_may_use_are_split() -> None:
    before = os.sched_getaffinity(0)
    one = {min(before)}
    os.sched_setaffinity(0, one)
    try:
        assert split_cores() == Cores()
    finally:
        os.sched_setaffinity(0, before)
    split = split_cores()
    named = {core for part in (split.server, split.load, split.harness) for core in part or ()}
    assert named <= before
    assert bool(named) is (len(before) > 1)
