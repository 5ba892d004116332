"""The gates of a stored run, from the run alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.suites.file import parse_suite
from harness.suites.gates import stored_gates
from harness.suites.matrix import cases_of
from results.errors import UsageError
from results.run import RunHeader
from tests.harness.examples import ORDERS
from tests.results.examples import run_header

GATES = """
[[gate]]
case = "orders.csv rows=500"
metric = "ttfb_p50"
at_most = "0.5 of baseline"

[[gate]]
case = "rows=1"
metric = "throughput"
at_least = "1 MB/s"
"""


def header(text: str, only: str | None = None, folder: Path | None = None) -> RunHeader:
    cases = [planned.case for planned in cases_of(parse_suite(text, "orders.toml", folder), only)]
    return run_header(suite_toml=text, cases=cases)


def test_the_gates_come_back_with_their_cases_and_limits() -> None:
    gates, left_out = stored_gates(header(ORDERS + GATES), Path("run.sqlite"))
    assert [gate.name for gate in gates] == [
        "orders.csv rows=500: ttfb_p50 at most 0.5 of baseline",
        "rows=1: throughput at least 1 MB/s",
    ]
    assert [gate.case.parameters["rows"] for gate in gates] == [500, 1]
    assert (gates[1].limit.value, gates[1].limit.upper) == (1e6, False)
    assert left_out == []


def test_a_gate_whose_case_was_left_out_is_named() -> None:
    gates, left_out = stored_gates(header(ORDERS + GATES, only="rows=1"), Path("run.sqlite"))
    assert [gate.case.parameters["rows"] for gate in gates] == [1]
    assert [gate.name for gate in left_out] == ["orders.csv rows=500: ttfb_p50 at most 0.5 of baseline"]


def test_the_app_s_folder_need_not_be_there(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    text = ORDERS.replace('app = "shop:app"', 'app = "shop:app"\ndirectory = "shop"') + GATES
    stored = header(text, folder=tmp_path)
    (tmp_path / "shop").rmdir()
    assert len(stored_gates(stored, Path("run.sqlite"))[0]) == 2


def test_a_suite_without_gates_has_none() -> None:
    assert stored_gates(header(ORDERS), Path("run.sqlite")) == ([], [])


@pytest.mark.parametrize(
    "text", ["not TOML", "gate = 1", '[[gate]]\ncase = "a"\nmetric = "unheard_of"\nat_most = "1 ms"']
)
def test_gates_that_cannot_be_understood_are_told_with_the_store(text: str) -> None:
    with pytest.raises(UsageError, match=r"run\.sqlite keeps cannot be understood"):
        stored_gates(run_header(suite_toml=text), Path("run.sqlite"))
