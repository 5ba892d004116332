"""What differs between two environment records, and whose commit was measured."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.runs.fingerprint import changed_parts, changes, measured_commit

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
    ],
)
def test_each_difference_is_a_phrase(change: dict[str, Any], part: str, phrase: str) -> None:
    assert changes(RECORD, RECORD | change) == [phrase]
    assert changed_parts(RECORD, RECORD | change) == [part]


def test_the_measured_commit_is_the_suite_s_and_of_a_built_in_suite_ours() -> None:
    built_in = {"suite_folder": None, "git": STATE}
    own = {"suite_folder": "/home/me/shop", "git": {"commit": "f" * 40, "dirty": False}}
    assert str(measured_commit(built_in)) == "012345678*"
    assert str(measured_commit(own | {"suite_git": STATE | {"dirty": False}})) == "012345678"
    assert measured_commit(own | {"suite_git": None}) is None
    assert measured_commit({"suite_folder": None, "git": None}) is None
