"""The matrix: every combination once, shared baselines once, and patterns that name what they say."""

from __future__ import annotations

import itertools

import pytest

from harness.suites.matrix import PlannedCase, case_of_gate, cases_of, matches, proxies_of
from harness.trials.verify import address_of
from results.case import Case
from results.errors import ExitCode, UsageError
from tests.harness.examples import FAILING, HEAD, SCENARIO, SERVER, TARGET, orders, suite_of

GTHREAD = '\n[[server]]\nkind = "gunicorn"\nworker_class = "gthread"\nthreads = [2, 4]\n'


def said(cases: list[PlannedCase], *keys: str) -> list[tuple[object, ...]]:
    return [tuple(planned.case.parameters.get(key) for key in keys) for planned in cases]


def test_every_list_is_an_axis() -> None:
    target = TARGET.replace("total = 100", "total = [100, 200]")
    server = '\n[[server]]\nkind = "gunicorn"\nworker_class = ["sync", "gevent"]\nworkers = [1, 2]\n'
    cases = orders(target=target, server=server, scenario=SCENARIO.replace("users = 1", "users = [1, 8]"))
    found = said(cases, "worker_class", "workers", "users", "total", "rows")
    combinations = itertools.product(["sync", "gevent"], [1, 2], [1, 8], [100, 200], [None, 1, 500])
    assert sorted(map(str, found)) == sorted(map(str, combinations))
    assert len({planned.case.identity for planned in cases}) == len(cases)


def test_a_case_says_what_is_in_force_and_not_only_what_was_given() -> None:
    case = orders()[0].case
    assert case.parameters["timeout_s"] == 30
    assert case.parameters["workers"] == 1
    assert case.parameters["keep_alive"] is True
    assert orders(server=SERVER + "workers = 1\ntimeout_s = 30\n")[0].case.identity == case.identity


def test_a_baseline_has_the_axes_that_its_path_names() -> None:
    whole, *streams = orders()
    assert (whole.path, whole.case.parameters["form"], whole.case.is_baseline) == (
        "/whole?total=100",
        "whole",
        True,
    )
    assert "rows" not in whole.case.parameters
    assert [planned.path for planned in streams] == ["/rows?total=100&rows=1", "/rows?total=100&rows=500"]
    assert {planned.case.baseline for planned in streams} == {whole.case.identity}


def test_each_stream_has_the_baseline_of_its_own_server_scenario_and_axes() -> None:
    cases = orders(
        target=TARGET.replace("total = 100", "total = [100, 200]"),
        server=SERVER + GTHREAD,
        scenario=SCENARIO.replace("users = 1", "users = [1, 8]"),
    )
    by_identity = {planned.case.identity: planned for planned in cases}
    for planned in cases:
        if planned.case.baseline is not None:
            whole = by_identity[planned.case.baseline]
            assert whole.case.is_baseline
            for key in ("target", "server", "worker_class", "threads", "users", "total"):
                assert whole.case.parameters.get(key) == planned.case.parameters.get(key)
            assert (whole.load, whole.server_options) == (planned.load, planned.server_options)


def test_two_targets_of_one_name_share_their_baseline() -> None:
    other = TARGET.replace("rows", "bytes").replace("[1, 500]", "[1024]")
    cases = orders(target=TARGET + other)
    assert [planned.path for planned in cases] == [
        "/whole?total=100",
        "/rows?total=100&rows=1",
        "/rows?total=100&rows=500",
        "/bytes?total=100&bytes=1024",
    ]
    assert len({planned.case.baseline for planned in cases if planned.case.baseline}) == 1


def test_two_tables_that_say_the_same_are_one() -> None:
    assert len(orders(target=TARGET + TARGET)) == len(orders(server=SERVER + SERVER)) == len(orders()) == 3


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('stream = "/rows', 'stream = "/other', r"path: /rows\?total=100&rows=1 and /other\?"),
        ('baseline = "/whole', 'baseline = "/other', r"path: /whole\?total=100 and /other\?"),
        ('"shop:app"', '"shop:other"', "app: shop:app and shop:other"),
        ("rows = [", 'headers = { Accept-Encoding = "gzip" }\nrows = [', "headers: .* and .*gzip"),
        ("rows = [", "status = 201\nrows = [", "status: 200 and 201"),
        ("rows = [", 'check = "length"\nrows = [', "check: bytes and length"),
        ("rows = [", 'row_marker = "x"\nrows = [', "row_marker: None and x"),
        ("rows = [", 'timeout = "5s"\nrows = [', r"timeout: 30\.0 and 5\.0"),
        ("rows = [", 'directory = "."\nrows = [', "directory: None and /"),
    ],
)
def test_one_case_that_is_asked_in_two_ways_is_refused(old: str, new: str, words: str) -> None:
    """Else the second would silently not be measured."""
    assert old in TARGET
    with pytest.raises(
        UsageError, match=f"(?s)the same case .*target=orders.csv.*different {words}.*another name"
    ):
        orders(target=TARGET + TARGET.replace(old, new))


def only(pattern: str) -> list[str]:
    suite = suite_of(HEAD + TARGET + FAILING + SERVER + GTHREAD + SCENARIO)
    return [planned.path for planned in cases_of(suite, pattern)]


def test_only_keeps_what_it_names_and_the_baselines_of_that() -> None:
    assert only("rows=500 sync") == ["/whole?total=100", "/rows?total=100&rows=500"]
    assert only("rows=500 threads=2") == ["/whole?total=100", "/rows?total=100&rows=500"]
    assert only("500 gthread") == ["/whole?total=100", "/rows?total=100&rows=500"] * 2
    assert only("form=whole sync") == ["/whole?total=100"]
    assert only("no-context fails=after sync") == ["/context/after"]


@pytest.mark.parametrize("pattern", ["rows=50", "sync rows=500 users=8", "ync", "rows", "", "  "])
def test_only_that_names_nothing_is_told_with_what_there_is(pattern: str) -> None:
    with pytest.raises(UsageError) as told:
        only(pattern)
    message = str(told.value)
    assert f"--only {pattern!r} names no case of the suite orders" in message
    assert "rows=500" in message
    assert told.value.exit_code is ExitCode.USAGE


def test_an_identity_names_its_own_case_and_no_other() -> None:
    cases = orders(server=SERVER + GTHREAD, target=TARGET.replace("[1, 500]", '["a=b", "true", 5]'))
    for planned in cases:
        identity = planned.case.identity
        assert [other.case.identity for other in cases if matches(other.case, identity)] == [identity]


def test_a_value_is_named_as_the_suite_writes_it() -> None:
    case = Case({"target": "x", "path": "/a=b", "keep_alive": False}, None)
    for pattern in ("keep_alive=false", "/a=b", "path=/a=b", 'path="/a=b"', "x false", "workers=1"):
        assert matches(case, pattern)
    for pattern in ("keep_alive=False", "keep_alive", "path=/a", "X", "x true"):
        assert not matches(case, pattern)


GATED = orders(target=TARGET + FAILING, server=SERVER + GTHREAD)


@pytest.mark.parametrize(
    ("pattern", "path", "worker_class"),
    [
        ("orders.csv rows=500 sync", "/rows?total=100&rows=500", "sync"),
        ("rows=1 threads=4", "/rows?total=100&rows=1", "gthread"),
        ("whole sync", "/whole?total=100", "sync"),
        ("form=whole threads=2", "/whole?total=100", "gthread"),
    ],
)
def test_a_gate_names_one_case(pattern: str, path: str, worker_class: str) -> None:
    found = case_of_gate(GATED, pattern)
    assert (found.path, found.case.parameters["worker_class"]) == (path, worker_class)


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("rows=50 sync", "no case"),
        ("rows=500", "several cases"),
        ("sync", "several cases"),
        ("form=whole", "several cases"),
        ("no-context fails=before sync", "no case"),
        ("", "no case"),
    ],
)
def test_a_gate_on_nothing_or_on_several_is_refused(pattern: str, count: str) -> None:
    with pytest.raises(UsageError, match=f"'{pattern}' names {count}; it must name exactly one of") as told:
        case_of_gate(GATED, pattern)
    named = str(told.value).splitlines()[1:]
    timed = [planned.case for planned in GATED if not planned.case.expect_failure]
    if count == "no case":
        assert named == [f"  {case.identity}" for case in timed]
    else:
        assert 1 < len(named) < len(timed)
        assert all(matches(case, pattern) for case in timed if f"  {case.identity}" in named)


def test_a_target_called_whole_something_is_not_its_baseline() -> None:
    cases = orders(target=TARGET.replace('"orders.csv"', '"wholesale"').replace("[1, 500]", "[500]"))
    assert case_of_gate(cases, "wholesale").path == "/rows?total=100&rows=500"


PROXIES = """
[[proxy]]
kind = "none"

[[proxy]]
kind = "nginx"
buffering = [true, false]
"""


def test_a_proxy_is_an_axis_and_so_are_its_options() -> None:
    cases = cases_of(suite_of(HEAD + TARGET + SERVER + PROXIES + SCENARIO))
    found = said(cases, "proxy", "proxy_buffering", "rows")
    kinds = [("none", None), ("nginx", True), ("nginx", False)]
    assert sorted(map(str, found)) == sorted(
        str((*kind, rows)) for kind, rows in itertools.product(kinds, [None, 1, 500])
    )
    assert {planned.proxy_kind for planned in cases} == {"none", "nginx"}
    for planned in cases:
        buffering = planned.case.parameters.get("proxy_buffering")
        assert planned.proxy_options == ({} if buffering is None else {"buffering": buffering})
        whole = next((c for c in cases if c.case.identity == planned.case.baseline), planned)
        assert (whole.proxy_kind, whole.proxy_options) == (planned.proxy_kind, planned.proxy_options)


def test_a_case_without_a_proxy_is_the_one_that_it_was_before_there_were_any() -> None:
    without = [planned.case.identity for planned in orders()]
    none = cases_of(suite_of(HEAD + TARGET + SERVER + PROXIES + SCENARIO))
    assert [planned.case.identity for planned in none if planned.proxy_kind == "none"] == without
    assert not any("proxy" in identity for identity in without)
    assert all("proxy=nginx" in p.case.identity.split() for p in none if p.proxy_kind == "nginx")


def test_a_proxy_says_what_is_in_force() -> None:
    text = HEAD + TARGET + SERVER + '\n[[proxy]]\nkind = "nginx"\n' + SCENARIO
    parameters = cases_of(suite_of(text))[0].case.parameters
    assert {key: value for key, value in parameters.items() if "proxy" in key} == {
        "proxy": "nginx",
        "proxy_buffering": True,
        "proxy_http_version": "1.0",
        "proxy_gzip": False,
        "proxy_buffer_bytes": 4096,
    }


def test_a_proxy_stands_before_a_command_and_a_url_too() -> None:
    other = """
    [[target]]
    name = "there"
    url = "http://127.0.0.1:8000"
    baseline = "/whole"
    stream = "/rows"
    """
    cases = cases_of(suite_of(HEAD + other + PROXIES + SCENARIO))
    assert [planned.proxy_kind for planned in cases] == ["none", "none"] + ["nginx"] * 4
    assert proxies_of(cases) == ["nginx"]
    assert proxies_of(orders()) == []


def test_middleware_is_an_axis_that_its_baseline_shares() -> None:
    target = TARGET + 'middleware = ["none", "etag", "shop.layers:wrap"]\n'
    cases = orders(target=target)
    assert sorted(map(str, said(cases, "middleware", "rows"))) == sorted(
        map(str, itertools.product(["none", "etag", "shop.layers:wrap"], [None, 1, 500]))
    )
    by_identity = {planned.case.identity: planned for planned in cases}
    for planned in cases:
        assert planned.middleware == planned.case.parameters["middleware"]
        if planned.case.baseline:
            assert by_identity[planned.case.baseline].middleware == planned.middleware
    without = [planned.case.identity for planned in orders()]
    assert [planned.case.identity for planned in cases if planned.middleware == "none"] == without
    assert "middleware=etag" in cases[3].case.identity.split()


@pytest.mark.parametrize(
    ("middleware", "proxy", "encoding"),
    [
        ("none", "", None),
        ("etag", "", None),
        ("shop:wrap", "", None),
        ("compress-br", "", "br"),
        ("compress-zstd", '[[proxy]]\nkind = "nginx"\n', "zstd"),
        ("none", '[[proxy]]\nkind = "nginx"\ngzip = true\n', "gzip"),
    ],
)
def test_a_case_knows_how_its_response_has_to_be_encoded_and_asks_for_it(
    middleware: str, proxy: str, encoding: str | None
) -> None:
    target = f'{TARGET}middleware = "{middleware}"\n'
    (planned, *_) = cases_of(suite_of(HEAD + target + SERVER + proxy + SCENARIO))
    assert planned.encoding == encoding
    asked = [] if encoding is None else [("Accept-Encoding", encoding)]
    assert list(address_of(planned, 1).headers) == asked
    own = target + 'headers = { accept-encoding = "deflate" }\n'
    (planned, *_) = cases_of(suite_of(HEAD + own + SERVER + proxy + SCENARIO))
    assert list(address_of(planned, 1).headers) == [("accept-encoding", "deflate")]
