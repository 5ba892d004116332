"""The suite that `init` writes: valid with every key that it offers, whatever text it was given."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.suites.file import parse_suite
from harness.suites.matrix import case_of_gate, cases_of
from harness.suites.outline import Outline, ServerChoice, gated_case, suite_text, toml_text, toml_value
from harness.suites.suite import Suite
from results.errors import UsageError

APP = Outline(
    name="orders",
    target="orders.csv",
    kind="app",
    served="shop:app",
    stream="/orders.csv?rows={rows}&total={total}",
    baseline="join {total}",
    axes={"rows": [20, 500], "total": ["all", "x%22y"]},
    users=(1, 8),
    servers=(
        ServerChoice("gunicorn", {"worker_class": "gthread"}),
        ServerChoice("waitress"),
        ServerChoice("gunicorn", {"worker_class": "sync"}),
    ),
    directory=".",
)
COMMAND = replace(
    APP, kind="command", served="serve --on {bind} 'a b'", baseline="/whole?total={total}", users=(3,)
)
URL = replace(COMMAND, kind="url", served="http://127.0.0.1:8000", directory=None)
KINDS = pytest.mark.parametrize("outline", [APP, COMMAND, URL], ids=lambda outline: outline.kind)
_OFFERED = re.compile(r"# ([a-z_]+ = .*)")


def read(text: str, folder: Path) -> Suite:
    return parse_suite(text, "orders.toml", folder)


@KINDS
def test_it_is_a_suite_that_says_what_was_told(outline: Outline, tmp_path: Path) -> None:
    suite = read(suite_text(outline), tmp_path)
    (target,) = suite.target
    assert (suite.name, target.name, target.served) == ("orders", "orders.csv", outline.served)
    assert (target.stream, target.baseline, target.axes) == (outline.stream, outline.baseline, outline.axes)
    assert (suite.window, suite.warmup, suite.blocks) == (1.0, 0.5, 8)
    assert target.directory == (None if outline.kind == "url" else tmp_path)
    served = {
        (case.case.parameters["server"], case.case.parameters.get("worker_class")) for case in cases_of(suite)
    }
    assert (
        served
        == {
            "app": {("gunicorn", "gthread"), ("gunicorn", "sync"), ("waitress", None)},
            "command": {("command", None)},
            "url": {("url", None)},
        }[outline.kind]
    )
    assert {case.case.parameters["users"] for case in cases_of(suite)} == set(outline.users)


@KINDS
def test_every_key_that_it_offers_is_valid_as_it_stands(outline: Outline, tmp_path: Path) -> None:
    text = suite_text(outline)
    lines = text.splitlines()
    gate = lines.index("# [[gate]]")
    offered = [number for number, line in enumerate(lines[:gate]) if _OFFERED.match(line)]
    arrivals = range(lines.index("# [[scenario]]"), gate)
    for number in set(offered) - set(arrivals):
        changed = [*lines[:number], lines[number].removeprefix("# "), *lines[number + 1 :]]
        assert read("\n".join(changed), tmp_path) != read(text, tmp_path), lines[number]
    assert len(offered) >= 10
    scheduled = [line.removeprefix("# ") if number in arrivals else line for number, line in enumerate(lines)]
    assert [table.kind for table in read("\n".join(scheduled), tmp_path).scenario] == ["download", "arrivals"]


@KINDS
def test_its_gate_names_one_case(outline: Outline, tmp_path: Path) -> None:
    text = suite_text(outline)
    head, _, gate = text.partition("# [[gate]]")
    uncommented = "\n".join(line.removeprefix("# ") for line in gate.strip().splitlines())
    suite = read(f"{head}[[gate]]\n{uncommented}", tmp_path)
    case = case_of_gate(cases_of(suite), suite.gate[0].case).case
    assert (case.parameters["rows"], case.parameters["total"]) == (500, "x%22y")
    assert case.parameters["users"] == outline.users[-1]


@pytest.mark.parametrize("last", [0, 1, 2, 3])
def test_options_of_a_server_are_in_its_table_and_its_gate_names_one_case(last: int, tmp_path: Path) -> None:
    choices = [
        ServerChoice("gunicorn", {"worker_class": "gthread", "threads": 4}),
        ServerChoice("gunicorn", {"worker_class": "gthread", "preload": True}),
        ServerChoice("waitress", {"threads": 8}),
        ServerChoice("waitress"),
    ]
    told = replace(APP, servers=(*choices[last + 1 :], *choices[: last + 1]))
    suite = read(suite_text(told), tmp_path)
    tables = [{"kind": table.kind, **table.axes} for table in suite.server]
    assert {"kind": "gunicorn", "worker_class": ["gthread"], "threads": [4]} in tables
    assert {"kind": "waitress", "threads": [8]} in tables
    assert len(tables) == 4
    gated = case_of_gate(cases_of(suite), gated_case(told))
    assert (gated.server_kind, gated.server_options) == (choices[last].kind, choices[last].options)


def test_keys_that_were_told_are_not_offered_again(tmp_path: Path) -> None:
    told = replace(
        APP,
        python=".venv/bin/python",
        prepare=("make", 'da"ta'),
        method="POST",
        body='{"a": "\\"}',
        headers={"X-Token!": 'a="${TOKEN}", é\tü', "Accept": "x"},
        environment={"APP": "C:\\new\u202e"},
        ready="/health",
    )
    text = suite_text(told)
    assert not re.search(r"^# (python|prepare|method|body|headers|environment) = ", text, re.MULTILINE)
    (target,) = read(text, tmp_path).target
    assert target.python == tmp_path / ".venv/bin/python"
    assert target.prepare == ("make", 'da"ta')
    assert (target.method, target.body, target.ready) == ("POST", told.body, "/health")
    assert (target.headers, target.environment) == (told.headers, told.environment)
    assert "\u202e" not in text, "what turns the direction of writing is written as its number"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n")))
@example('"\\\t\x00\x7f\u2028\U000e0001é')
def test_any_line_of_text_comes_back(text: str) -> None:
    written = toml_text(text)
    assert tomllib.loads(f"key = {written}") == {"key": text}
    assert written.isprintable()


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n")), st.integers(-9, 9)
    )
)
def test_any_table_and_list_comes_back(table: dict[str, int]) -> None:
    assert tomllib.loads(f"key = {toml_value(table)}") == {"key": table}
    assert tomllib.loads(f"key = {toml_value(list(table))}") == {"key": list(table)}
    assert tomllib.loads(f"key = {toml_value([True, 'x', 1])}") == {"key": [True, "x", 1]}


@pytest.mark.parametrize(
    ("text", "words"), [("a\nb", "several lines"), ("a\rb", "several"), ("\udc80", "UTF-8")]
)
def test_what_has_no_line_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        toml_text(text)
