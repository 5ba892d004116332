"""The identity of a case: complete, one line, and never the same for two different cases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.case import LATER_DEFAULTS, REGISTERED_DEFAULTS, SETTINGS, Case, Value, identity, value_text
from targets.servers import KINDS
from targets.servers.gunicorn import DEFAULTS

KEYS = st.from_regex(r"[a-z_]{1,6}", fullmatch=True)
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.integers(), st.booleans(), st.text(max_size=8), st.sampled_from(["1", "true", 'a="b"', "a b=c", "\\"])
)
PARAMETERS = st.dictionaries(KEYS, VALUES, max_size=4)


def test_parameters_are_sorted_and_registered_defaults_filled_in() -> None:
    assert identity({"users": 8, "target": "orders.csv"}) == (
        "keep_alive=true target=orders.csv users=8 workers=1"
    )


@pytest.mark.parametrize(("name", "value"), REGISTERED_DEFAULTS.items())
def test_a_case_of_before_the_parameter_is_the_case_with_its_default(name: str, value: Value) -> None:
    assert identity({"target": "x"}) == identity({"target": "x", name: value})
    assert identity({"target": "x"}) != identity({"target": "x", name: 7})


@pytest.mark.parametrize(("name", "value"), LATER_DEFAULTS.items())
def test_an_identity_that_was_stored_before_the_parameter_is_still_the_same_text(
    name: str, value: Value
) -> None:
    before = "keep_alive=true target=x workers=1"
    assert identity({"target": "x"}) == identity({"target": "x", name: value}) == before
    assert identity({"target": "x", name: 7}) == identity({"target": "x", name: "7"}) != before


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("/a/b.c:d+e-f", "/a/b.c:d+e-f"),
        ("Orders.CSV", "Orders.CSV"),
        ("two words", '"two words"'),
        ('say "hi"', r'"say \"hi\""'),
        ("back\\slash", r'"back\\slash"'),
        ("a=b", '"a=b"'),
        ("", '""'),
        ("two\nlines", r'"two\nlines"'),
        (True, "true"),
        (-5, "-5"),
        (0.5, "0.5"),
    ],
)
def test_values_that_could_be_misread_are_quoted(value: Value, text: str) -> None:
    assert f" q={text} " in identity({"p": 1, "q": value, "r": 2})


@given(PARAMETERS, PARAMETERS)
def test_different_parameters_have_different_identities(
    one: dict[str, Value], other: dict[str, Value]
) -> None:
    def texts(parameters: dict[str, Value]) -> dict[str, str]:
        filled = {**REGISTERED_DEFAULTS, **LATER_DEFAULTS, **parameters}
        return {key: value_text(value) for key, value in filled.items()}

    assert (identity(one) == identity(other)) is (texts(one) == texts(other))


@given(PARAMETERS)
def test_an_identity_is_one_line_and_heeds_no_order(parameters: dict[str, Value]) -> None:
    text = identity(parameters)
    assert text.isprintable()
    assert identity(dict(reversed(parameters.items()))) == text


def test_only_a_timed_case_without_a_baseline_is_one() -> None:
    whole = Case({"target": "x"}, baseline=None)
    assert whole.is_baseline
    assert not Case({"target": "y"}, baseline=whole.identity).is_baseline
    assert not Case({"target": "z"}, baseline=None, expect_failure=True).is_baseline


def test_every_option_of_every_server_is_a_setting() -> None:
    options = {name for by_class in DEFAULTS.values() for name in by_class}
    options |= {name for kind in KINDS.values() for name in kind.in_force(kind.read_options({}))}
    assert options < set(SETTINGS)
