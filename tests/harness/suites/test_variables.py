"""Variables that a suite names: filled in when something is asked, told when they are not set."""

from __future__ import annotations

import pytest

from harness.suites.matrix import cases_of
from harness.suites.variables import check_variables, filled
from harness.trials.verify import address_of
from results.errors import UsageError
from tests.harness.examples import HEAD, SCENARIO, SERVER, suite_of

TARGET = """
[[target]]
name = "orders"
app = "shop:app"
baseline = "/whole"
stream = "/rows"
method = "POST"
body = '{"key": "${ORDERS_KEY}"}'
headers = { Authorization = "Bearer ${ORDERS_KEY}" }
environment = { ORDERS_DB = "sqlite:///${ORDERS_FOLDER}/$${x}" }
"""
SUITE = HEAD + TARGET + SERVER + SCENARIO


def test_values_take_the_place_of_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_1", "one")
    monkeypatch.setenv("EMPTY", "")
    assert filled("${A_1}-${A_1}${EMPTY}") == "one-one"
    assert filled("$A_1 {A_1} ${} $5 ${A-1}") == "$A_1 {A_1} ${} $5 ${A-1}"
    assert filled("$${A_1} costs $$5") == "${A_1} costs $$5"


def test_what_is_asked_has_the_values_and_the_suite_has_the_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_KEY", "s3cret")
    suite = suite_of(SUITE)
    planned = cases_of(suite)[1]
    address = address_of(planned, 80)
    assert (address.method, address.body) == ("POST", '{"key": "s3cret"}')
    assert dict(address.headers) == {"Authorization": "Bearer s3cret"}
    assert "s3cret" not in suite.text + repr(suite) + planned.case.identity


def test_all_that_are_not_set_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORDERS_KEY", raising=False)
    monkeypatch.delenv("ORDERS_FOLDER", raising=False)
    with pytest.raises(UsageError) as error:
        check_variables(cases_of(suite_of(SUITE)))
    lines = str(error.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "target orders, body",
        "target orders, headers.Authorization",
        "target orders, environment.ORDERS_DB",
    ]
    assert "the environment variable ORDERS_KEY is not set; set it, or write $${ORDERS_KEY}" in lines[0]


def test_a_value_that_makes_two_lines_of_a_header_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ORDERS_KEY", "s3cret\r\nX-More: y")
    monkeypatch.setenv("ORDERS_FOLDER", "/srv")
    with pytest.raises(UsageError, match="Authorization: with its variables it is not one line") as error:
        check_variables(cases_of(suite_of(SUITE)))
    assert "s3cret" not in str(error.value)
