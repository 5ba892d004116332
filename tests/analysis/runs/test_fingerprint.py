"""What differs between two environment records, and whose commit was measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analysis.runs.fingerprint import changed_parts, changed_workers, changes, measured_commit
from tests.analysis.crews import CREW

RECORD: dict[str, Any] = {"cpu": "x", "kernel": "6.1", "packages": {"flask": "3.0", "gunicorn": None}}
STATE = {"commit": "0123456789abcdef", "committed_utc": "2031-01-01T00:00:00+00:00", "dirty": True}


def test_equal_records_differ_in_nothing_and_a_load_average_is_no_part() -> None:
    assert changes(RECORD, RECORD | {"load_average": [9, 9, 9]}) == []


@pytest.mark.parametrize(
    ("change", "part", "phrase"),
    [
        ({"kernel": "6.2"}, "kernel", "kernel was 6.1 and is 6.2"),
        ({"cpu_count": 8}, "cpu_count", "cpu_count was None and is 8"),
        (
            {"packages": {"flask": "3.0", "gunicorn": "23"}},
            "packages",
            "packages: gunicorn was None and is 23",
        ),
        ({"packages": {"gunicorn": None}}, "packages", "packages: flask was 3.0 and is None"),
        (
            {"load_processes": {"here": 2}},
            "load_processes",
            "the load was made by the run's own driver and is made by 2 load processes here",
        ),
    ],
)
def test_each_difference_is_a_phrase(change: dict[str, Any], part: str, phrase: str) -> None:
    assert changes(RECORD, RECORD | change) == [phrase]
    assert changed_parts(RECORD, RECORD | change) == [part]


def test_of_an_interpreter_that_only_one_knows_nothing_is_said() -> None:
    own = {"target_packages": {"shop python": "3.12", "shop flask": "3.0", "shop jinja2": "3.1"}}
    newer = {"target_packages": {"shop python": "3.12", "shop flask": "3.1"}}
    other: list[dict[str, Any]] = [{}, {"target_packages": {}}, {"target_packages": {"x python": "3.9"}}]
    for unknown in other:
        assert changes(unknown, own) == changes(own, unknown) == []
    assert changes(own, newer) == [
        "target_packages: shop flask was 3.0 and is 3.1",
        "target_packages: shop jinja2 was 3.1 and is None",
    ]


def test_here_and_elsewhere_and_how_many_are_told_apart() -> None:
    one, two, there = ({"load_processes": made} for made in ({"here": 1}, {"here": 2}, {"elsewhere": 2}))
    assert changes(one, two) == [
        "the load was made by 1 load process here and is made by 2 load processes here"
    ]
    assert changes(two, there) == [
        "the load was made by 2 load processes here and is made by 2 load processes that joined"
    ]
    assert changes(there, there) == []


def test_other_load_machines_are_a_change() -> None:
    renamed = [replace(item, host="elsewhere", name="elsewhere/0", joined_utc="later") for item in CREW]
    assert changed_workers(CREW, renamed) == []
    assert changed_workers(CREW, []) == []
    slower = [CREW[0], replace(CREW[1], cpu="slow\x1b[31m")]
    (phrase,) = changed_workers(CREW, slower)
    assert phrase.startswith("cpu of the load's machines was cpu of a load machine and is ")
    assert phrase.endswith("cpu of a load machine and slow\\x1b[31m")


def test_the_measured_commit_is_the_suite_s_and_of_a_built_in_suite_ours() -> None:
    built_in = {"suite_folder": None, "git": STATE}
    own = {"suite_folder": "/home/me/shop", "git": {"commit": "f" * 40, "dirty": False}}
    assert str(measured_commit(built_in)) == "012345678*"
    assert str(measured_commit(own | {"suite_git": STATE | {"dirty": False}})) == "012345678"
    assert measured_commit(own | {"suite_git": None}) is None
    assert measured_commit({"suite_folder": None, "git": None}) is None
