"""Targets of a suite: the axes that their paths name, and what is sent to the app."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.suites.file import load_suite
from harness.suites.matrix import cases_of
from results.case import SETTINGS
from results.errors import UsageError
from tests.harness.examples import HEAD, SCENARIO, SERVER, suite_of


def target(**keys: str) -> str:
    """A suite with one target: these TOML values in place of the usual ones."""
    usual = {
        "name": '"orders"',
        "app": '"shop:app"',
        "baseline": '"/whole"',
        "stream": '"/rows?rows={rows}"',
        "rows": "[1, 5]",
    }
    lines = [f"{key} = {value}" for key, value in (usual | keys).items() if value]
    return HEAD + "\n[[target]]\n" + "\n".join(lines) + "\n" + SERVER + SCENARIO


def told(text: str) -> str:
    with pytest.raises(UsageError, match="nothing was measured") as error:
        suite_of(text)
    return str(error.value)


def paths(text: str) -> list[str]:
    return [planned.path for planned in cases_of(suite_of(text))]


def test_each_value_of_a_list_is_asked_for_and_one_value_is_a_list_of_one() -> None:
    assert paths(target()) == ["/whole", "/rows?rows=1", "/rows?rows=5"]
    assert paths(target(rows="7")) == ["/whole", "/rows?rows=7"]
    assert paths(target(rows='["a", "b%20c", ""]')) == [
        "/whole",
        "/rows?rows=a",
        "/rows?rows=b%20c",
        "/rows?rows=",
    ]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"rows": ""}, r"target\.1: the path names \{rows\}.*no such key; add one, like rows = \[1, 2\]"),
        ({"baseline": '"/whole?n={n}"', "n": "1"}, r"target\.1: baseline names \{n\} and stream does not"),
        ({"row": "[1]"}, r"target\.1\.row: unknown key; .*an axis must be named in the path, like \{rows\}"),
        ({"axes": "{ rows = [1] }"}, r"target\.1: axes is not a key; each axis has its own"),
        ({"rows": "[]"}, r":11: target\.1\.rows: an empty list"),
        ({"rows": "[5, 5]"}, r":11: target\.1\.rows: the same value twice"),
        ({"rows": '[5, "5"]'}, r":11: target\.1\.rows: the same value twice"),
        ({"rows": "[5, true]"}, r":11: target\.1\.rows\.2: not a value for a path.*given: True"),
        ({"rows": "[1.5]"}, r"target\.1\.rows\.1: not a value for a path"),
        ({"rows": "[[1]]"}, r"target\.1\.rows\.1: not a value for a path"),
        ({"rows": "2031-02-03"}, r"target\.1\.rows\.1: not a value for a path"),
        ({"rows": '["a b"]'}, r"target\.1\.rows\.1: not a value for a path.*%20"),
        ({"rows": r'["x HTTP/1.1\r\nX: y"]'}, r"target\.1\.rows\.1: not a value for a path"),
        ({"rows": '["{n}"]'}, r"target\.1\.rows\.1: not a value for a path.*braces"),
        (
            {"stream": '"/rows?rows={rows"'},
            r":10: target\.1\.stream: a brace that is not part of a \{key\}.*%7B",
        ),
        ({"stream": '"/rows?rows=rows}"', "rows": ""}, r"target\.1\.stream: a brace"),
        ({"stream": '"/rows?rows={}"', "rows": ""}, r"target\.1\.stream: a brace"),
        ({"stream": '"/rows?rows={0}"', "rows": ""}, r"target\.1\.stream: a brace"),
        ({"stream": '"/rows?rows={rows:05d}"', "rows": ""}, r"target\.1\.stream: a brace"),
        ({"stream": '"/rows?rows={rows!r}"', "rows": ""}, r"target\.1\.stream: a brace"),
        ({"stream": '"/rows?rows={rows.__class__}"', "rows": ""}, r"target\.1\.stream: a brace"),
        ({"stream": '"/rows?rows={{rows}}"'}, r"target\.1\.stream: a brace"),
        ({"stream": '"/rows?t={timeout}"', "rows": ""}, r"\{timeout\}, and that is a key of every target"),
        ({"stream": "5", "rows": ""}, r"target\.1\.stream: Input should be a valid string"),
        ({"form": '"whole"'}, r"target\.1\.form: this is what a baseline's form is called"),
        ({"expect": '"failure"'}, r":9: target\.1\.baseline: expect = \"failure\" is never timed"),
        ({"timeout": '"0s"'}, r"target\.1\.timeout: .*greater than 0"),
        ({"status": "99"}, r"target\.1\.status: .*200"),
        ({"status": "true"}, r"target\.1\.status: .*integer"),
        ({"check": '"none"'}, r"target\.1\.check: .*'bytes' or 'length'"),
        ({"row_marker": '""'}, r"target\.1\.row_marker: .*at least 1 character"),
        ({"directory": "5"}, r"target\.1\.directory: .*path"),
        ({"directory": r'"a\u0000b"'}, r"target\.1\.directory: "),
        ({"headers": '"Accept: x"'}, r"target\.1\.headers: .*dictionary"),
        ({"headers": "{ Accept = 5 }"}, r":12: target\.1\.headers\.Accept: .*string"),
        (
            {"headers": r'{ Accept = "a\r\nHost: b" }'},
            r":12: target\.1\.headers\.Accept: not a header's value",
        ),
        ({"headers": '{ Accept = "€" }'}, r"target\.1\.headers\.Accept: not a header's value.*Latin-1"),
        ({"headers": '{ "Acc ept" = "x" }'}, r"target\.1\.headers\.Acc ept: not a header's name"),
        ({"headers": r'{ "A: b\r\nC" = "x" }'}, r"not a header's name"),
    ],
)
def test_a_mistake_in_a_target_is_told_with_its_place(keys: dict[str, str], words: str) -> None:
    message = told(target(**keys))
    assert re.search(words, message), message


def test_a_wrong_stream_is_one_mistake_and_not_another_of_the_baseline() -> None:
    message = told(target(stream='"rows={rows}"', baseline='"/whole?rows={rows}"'))
    assert "orders.toml has 1 mistake;" in message
    assert "target.1.stream: not a path" in message


def test_mistakes_of_one_target_are_told_together() -> None:
    message = told(
        target(
            app='"shop"',
            timeout='"soon"',
            stream='"/rows?rows={rows}&n={n}"',
            baseline="",
            directory='"/no/such/folder"',
            row="5",
        )
    )
    for words in (
        "target.1.directory",
        "target.1.app: not an app",
        "target.1.timeout: not a duration",
        "target.1.baseline: missing",
        "target.1: the path names {n}",
        "/no/such/folder is not a folder",
        "target.1.row: unknown key",
    ):
        assert words in message
    assert "orders.toml has 6 mistakes" in message


@pytest.mark.parametrize("setting", ["target", *SETTINGS])
def test_an_axis_may_not_hide_a_setting(setting: str) -> None:
    """Else all of a suite's users, or servers, would be one case, and only the first be measured."""
    message = told(target(stream=f'"/rows?x={{{setting}}}"', rows="", **{setting: "[1, 2]"}))
    if setting == "middleware":  # a key of every target, too
        assert "the path names {middleware}, and that is a key of every target" in message
    else:
        assert f"the axis {setting} has the name of a setting" in message


def test_a_failing_response_needs_no_baseline() -> None:
    (case,) = cases_of(suite_of(target(baseline="", expect='"failure"', rows="1")))
    assert case.case.expect_failure
    assert case.case.baseline is None


def test_what_is_sent_may_be_anything_that_http_allows() -> None:
    suite = suite_of(target(headers='{ "X-Token!" = "a=\\"b\\", é\\tü", Accept = "" }'))
    assert suite.target[0].headers == {"X-Token!": 'a="b", é\tü', "Accept": ""}


def test_a_folder_is_relative_to_the_suite_file_and_not_to_where_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "suites").mkdir()
    (tmp_path / "shop").mkdir()
    monkeypatch.chdir(tmp_path / "shop")
    (tmp_path / "suites" / "orders.toml").write_text(target(directory='"../shop"'))
    assert load_suite("../suites/orders.toml").target[0].directory == tmp_path / "shop"
    (tmp_path / "suites" / "file.toml").write_text(target(directory='"orders.toml"'))
    with pytest.raises(UsageError, match="is not a folder"):
        load_suite("../suites/file.toml")


def test_a_stream_that_is_collected_is_the_whole_form() -> None:
    planned = cases_of(suite_of(target(baseline='"join"')))
    assert [(item.joined, item.path) for item in planned] == [
        (True, "/rows?rows=1"),
        (False, "/rows?rows=1"),
        (False, "/rows?rows=5"),
    ]
    assert {item.case.baseline for item in planned} == {None, planned[0].case.identity}


def test_what_changes_the_response_makes_a_whole_form_each() -> None:
    text = target(baseline='"join {total}"', stream='"/rows?rows={rows}&total={total}"', total="[7, 8]")
    planned = cases_of(suite_of(text))
    assert [item.path for item in planned if item.joined] == ["/rows?rows=1&total=7", "/rows?rows=1&total=8"]
    assert len({item.case.baseline for item in planned if item.case.baseline}) == 2


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"baseline": '"joined"'}, r'target\.1\.baseline: not a path.*Or write "join"'),
        ({"baseline": '"join total"'}, r"target\.1\.baseline: not a path"),
        ({"baseline": '"join {n}"', "n": "1"}, r"baseline names \{n\} and stream does not"),
        ({"method": '"HEAD"'}, r"target\.1\.method: not a method whose response has a body"),
        ({"method": '"get"'}, r"target\.1\.method: not a method"),
        ({"environment": '{ "A=B" = "1" }'}, r"target\.1\.environment\.A=B: not a variable's name"),
        ({"memory_cap": '"64 MB"'}, r"target\.1\.memory_cap: '64 MB' is no limit for peak_memory"),
        ({"memory_cap": '"0.5 of baseline"'}, r"target\.1\.memory_cap: a cap is an amount of memory"),
        ({"memory_cap": '"0 MiB"'}, r"target\.1\.memory_cap: a cap is an amount of memory"),
    ],
)
def test_keys_of_an_own_app_say_what_is_allowed(keys: dict[str, str], words: str) -> None:
    assert re.search(words, told(target(**keys)))


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"app": "", "command": '"serve shop"'}, r"target\.1\.command: it must say where.*\{bind\}"),
        ({"app": "", "command": '"serve \'{bind}"'}, r"target\.1\.command: not a command line"),
        ({"app": "", "command": '"serve {bind} {rows}"'}, r"target\.1\.command: a brace"),
        ({"command": '"serve {bind}"'}, r"target\.1: give one of app .*: app and command are there"),
        ({"app": "", "url": '"https://127.0.0.1:1"'}, r"target\.1\.url: not a server that can be asked"),
        ({"app": "", "url": '"http://me:pw@10.0.0.1:80"'}, r"url: .*no user or password"),
        ({"app": "", "url": '"http://127.0.0.1:80/x"'}, r"target\.1\.url: .*without a path"),
        ({"app": "", "url": '"http://127.0.0.1:65536/"'}, r":11: target\.1\.url: there is no port 65536"),
        ({"pid": "7"}, r"target\.1: pid is for a url"),
        (
            {"app": "", "url": '"http://127.0.0.1:80"', "baseline": '"join"'},
            r'baseline = "join" is for an app',
        ),
        (
            {"app": "", "command": '"serve {bind}"'},
            r"a \[\[server\]\] is for targets with an app, and there is none",
        ),
    ],
)
def test_what_serves_a_target_is_said_in_one_way(keys: dict[str, str], words: str) -> None:
    assert re.search(words, told(target(**keys)))


def test_an_app_needs_a_server() -> None:
    assert "no [[server]]: the app of orders is served by none" in told(target().replace(SERVER, ""))


def test_a_command_and_a_url_are_cases_of_their_own_kind() -> None:
    text = target(app="", command='"serve -b {bind} shop"').replace(SERVER, "")
    planned = cases_of(suite_of(text, Path("/srv")))
    assert {item.case.parameters["server"] for item in planned} == {"command"}
    assert {item.target.directory for item in planned} == {Path("/srv")}
    (whole, *_) = cases_of(suite_of(target(app="", url='"http://localhost:8000"').replace(SERVER, "")))
    assert (whole.case.parameters["server"], whole.target.directory) == ("url", None)
