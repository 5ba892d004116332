"""Suite files: what is read, and that every mistake is told with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.suites.file import load_suite
from results.errors import ExitCode, UsageError
from results.metrics import Margin
from scenarios.specification import Arrivals, Download
from tests.harness.examples import ARRIVALS, FAILING, HEAD, ORDERS, SCENARIO, SERVER, TARGET, suite_of

GATE = """
[[gate]]
case = "orders.csv rows=500"
metric = "ttfb_p50"
at_most = "0.5 of baseline"
"""


def mistakes(text: str, folder: Path | None = None) -> list[str]:
    """The lines of the message, less the first, without the file's name: ``LINE: KEY: WHAT``."""
    with pytest.raises(UsageError) as told:
        suite_of(text, folder)
    first, *lines = str(told.value).split("\n")
    assert re.fullmatch(r"orders\.toml has \d+ mistakes?; nothing was measured:", first)
    assert told.value.exit_code is ExitCode.USAGE
    return [line.strip().removeprefix("orders.toml:") for line in lines]


def line_of(text: str, key: str) -> int:
    (number,) = [number for number, line in enumerate(text.splitlines(), 1) if line.startswith(key)]
    return number


def test_a_whole_suite_is_read() -> None:
    suite = suite_of(ORDERS + GATE)
    assert (suite.name, suite.blocks, suite.warmup, suite.window) == ("orders", 3, 0.5, 2)
    (target,) = suite.target
    assert target.axes == {"total": [100], "rows": [1, 500]}
    assert list(suite.scenario[0].loads()) == [Download(1)]
    limit = suite.gate[0].limit
    assert limit is not None
    assert limit.of_baseline
    assert suite.text == ORDERS + GATE


def test_what_a_suite_leaves_out_has_a_default() -> None:
    text = ORDERS.replace("blocks = 3", "").replace("users = 1", "")
    text = text.replace('warmup = "0.5s"', "").replace('window = "2s"', "")
    suite = suite_of(text)
    target, scenario = suite.target[0], suite.scenario[0]
    assert (suite.blocks, suite.warmup, suite.window, suite.gate) == (10, 0.5, 3, [])
    assert (list(scenario.loads()), scenario.keep_alive) == ([Download(1)], True)
    assert (target.form, target.ready, target.expect, target.check) == ("stream", "/", "success", "bytes")
    assert (target.status, target.timeout, target.headers, target.row_marker) == (200, 30, {}, None)
    assert target.directory is None


@pytest.mark.parametrize(
    ("given", "seconds"), [('"200ms"', 0.2), ('"1.5s"', 1.5), ('" 2 m "', 120), ("3", 3), ("0.25", 0.25)]
)
def test_durations(given: str, seconds: float) -> None:
    assert suite_of(ORDERS.replace('"2s"', given)).window == pytest.approx(seconds)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = ORDERS.replace("blocks = 3", "blocks = 0").replace("rows = [1, 500]", "row = [1, 500]")
    text = text.replace('"sync"', '"synch"').replace("users = 1", "users = 0\nuser = 1") + GATE.replace(
        "ttfb_p50", "ttfb"
    )
    told = mistakes(text)
    places = [(int(line.split(":")[0]), line.split(": ")[1]) for line in told]
    assert places == [
        (line_of(text, "blocks"), "blocks"),
        (line_of(text, "[[target]]"), "target.1"),
        (line_of(text, "row ="), "target.1.row"),
        (line_of(text, "[[server]]"), "server.1"),
        (line_of(text, "users"), "scenario.1.users.1"),
        (line_of(text, "user ="), "scenario.1.user"),
        (line_of(text, "metric"), "gate.1.metric"),
    ]


def test_a_mistake_in_the_second_table_has_the_second_table_s_line() -> None:
    second = TARGET.replace('"orders.csv"', '"two"').replace('"shop:app"', '"shop"')
    text = HEAD + TARGET + second + SERVER + SCENARIO
    (told,) = mistakes(text)
    line = text.splitlines().index('app = "shop"') + 1
    assert told.startswith(f"{line}: target.2.app: ")
    assert "module:name" in told


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ('name = "orders"\n', "", "1: name", ["missing"]),
        ('"orders"', '"a b"', "1: name", ["not a name"]),
        ('"orders"', '"../../etc/x"', "1: name", ["not a name"]),
        ('"orders"', r'"a\nb"', "1: name", ["not a name"]),
        ('"orders"', f'"{"n" * 61}"', "1: name", ["up to 60"]),
        ('"orders"', "5", "1: name", ["valid string"]),
        ("blocks = 3", "blocks = true", "2: blocks", ["integer", "True"]),
        ("blocks = 3", 'blocks = "3"', "2: blocks", ["integer"]),
        ("blocks = 3", "blocks = 3.0", "2: blocks", ["integer"]),
        ("blocks = 3", "blocks = 1001", "2: blocks", ["1000"]),
        ("blocks = 3", '"bl\\u001bock" = 3', "1: 'bl\\x1bock'", ["unknown key", "blocks"]),
        ('window = "2s"', 'windw = "2s"', "4: windw", ["unknown key", "window"]),
        ('window = "2s"', '"windw" = "2s"', "4: windw", ["unknown key"]),
        ('window = "2s"', 'text = "2s"', "4: text", ["unknown key"]),
        ('"2s"', '"2 seconds"', "4: window", ["not a duration", '"200ms"']),
        ('"2s"', '"-2s"', "4: window", ["not a duration"]),
        ('"2s"', '"0s"', "4: window", ["greater than 0"]),
        ('"2s"', "true", "4: window", ["not a duration", "True"]),
        ('"2s"', "nan", "4: window", ["nan"]),
        ('"2s"', "inf", "4: window", ["inf"]),
        ('"2s"', '"61m"', "4: window", ["3600"]),
        ('"2s"', '["2s"]', "4: window", ["not a duration"]),
        ("users = 1", "users = []", "20: scenario.1.users", ["empty list"]),
        ("users = 1", "users = [1, 8, 1]", "20: scenario.1.users", ["same value twice"]),
        ("users = 1", "users = 1000000000", "20: scenario.1.users.1", ["10000"]),
        ("users = 1", "users = true", "20: scenario.1.users.1", ["integer"]),
        ("users = 1", 'keep_alive = "no"', "20: scenario.1.keep_alive", ["boolean"]),
        ('"download"', '"upload"', "19: scenario.1.kind", ["download, arrivals", "'upload'"]),
        ('kind = "download"', "", "18: scenario.1.kind", ["missing"]),
        ('"download"', "5", "19: scenario.1.kind", ["download, arrivals", "5"]),
        ('"download"', "[]", "19: scenario.1.kind", ["download, arrivals"]),
        ("users = 1", "rate = 5", "20: scenario.1.rate", ['no use for it, it is a key of kind = "arrivals"']),
        ("users = 1", "user = 5", "20: scenario.1.user", ["unknown key; known are kind, users, keep_alive"]),
        (
            'kind = "gunicorn"',
            'kind = "gunicron"',
            "15: server.1.kind",
            ["known kinds are cheroot, gra"],
        ),
        ('kind = "gunicorn"', "", "14: server.1.kind", ["missing"]),
        ("[[server]]", "[server]", "14: server", ["[[server]]", "two brackets"]),
        ('app = "shop:app"', 'app = "shop"', "8: target.1.app", ["module:name"]),
        ('app = "shop:app"', 'app = "shop:make(1)"', "8: target.1.app", ["module:name"]),
        ('app = "shop:app"', "", "6: target.1", ["give one of app", "command", "url"]),
        ('baseline = "/whole?total={total}"\n', "", "6: target.1.baseline", ["missing", "built whole"]),
        ('"/whole?total={total}"', '"whole"', "9: target.1.baseline", ["begins with"]),
        ('"/whole?total={total}"', '"/a b"', "9: target.1.baseline", ["no spaces (write %20)"]),
        ('"/whole?total={total}"', r'"/a\r\nX: y"', "9: target.1.baseline", ["not a path"]),
    ],
)
def test_a_mistake_is_told_with_line_key_and_what_is_allowed(
    old: str, new: str, place: str, words: list[str]
) -> None:
    assert old in ORDERS
    (told,) = mistakes(ORDERS.replace(old, new))
    assert told.startswith(f"{place}: ")
    assert all(word in told for word in words)


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("rate = [20, 50]", "", "18: scenario.1.rate", ["missing"]),
        ("rate = [20, 50]", "rate = []", "20: scenario.1.rate", ["empty list"]),
        ("rate = [20, 50]", "rate = [50, 20, 50.0]", "20: scenario.1.rate", ["same value twice"]),
        ("rate = [20, 50]", "rate = [20, 0]", "20: scenario.1.rate.2", ["greater than 0"]),
        ("rate = [20, 50]", "rate = -0.5", "20: scenario.1.rate.1", ["greater than 0"]),
        ("rate = [20, 50]", "rate = inf", "20: scenario.1.rate.1", ["inf"]),
        ("rate = [20, 50]", "rate = true", "20: scenario.1.rate.1", ["number", "True"]),
        ("rate = [20, 50]", 'rate = "20"', "20: scenario.1.rate.1", ["number"]),
        ("rate = [20, 50]", "rate = 20\nusers = 1", "21: scenario.1.users", ["no use", '"download"']),
        (
            "rate = [20, 50]",
            "rate = 20\nrates = 1",
            "21: scenario.1.rates",
            ["unknown key", "most_in_flight"],
        ),
        ('"constant"', '"even"', "21: scenario.1.spacing.1", ["'constant' or 'poisson'", "'even'"]),
        ("rate = [20, 50]", "rate = 20\nmost_in_flight = 0", "21: scenario.1.most_in_flight", ["1"]),
        ("rate = [20, 50]", "rate = 20\nkeep_alive = 1", "21: scenario.1.keep_alive", ["boolean"]),
    ],
)
def test_a_mistake_in_arrivals_is_told_with_line_key_and_what_is_allowed(
    old: str, new: str, place: str, words: list[str]
) -> None:
    text = HEAD + TARGET + SERVER + ARRIVALS
    assert old in text
    (told,) = mistakes(text.replace(old, new))
    assert told.startswith(f"{place}: ")
    assert all(word in told for word in words)


@pytest.mark.parametrize(
    ("table", "place", "words"),
    [
        ('[[proxy]]\nkind = "squid"', "22: proxy.1.kind", ["known kinds are nginx, none", "'squid'"]),
        ("[[proxy]]\nbuffering = true", "21: proxy.1.kind", ["missing"]),
        ('[proxy]\nkind = "nginx"', "21: proxy", ["[[proxy]]", "two brackets"]),
        ('[[proxy]]\nkind = "none"\ngzip = true', "21: proxy.1", ["no options", "leave gzip out"]),
        ('[[proxy]]\nkind = "nginx"\nzip = true', "21: proxy.1", ["buffering, http_version, gzip"]),
        ('[[proxy]]\nkind = "nginx"\nhttp_version = 1.0', "21: proxy.1", ['"1.0" and "1.1"']),
        ('[[proxy]]\nkind = "nginx"\nbuffering = [true, true]', "21: proxy.1", ["same value twice"]),
        ('[[proxy]]\nkind = "nginx"\nbuffering = []', "21: proxy.1", ["empty list"]),
    ],
)
def test_a_mistake_in_a_proxy_is_told(table: str, place: str, words: list[str]) -> None:
    (told,) = mistakes(f"{ORDERS}{table}\n")
    assert told.startswith(f"{place}: ")
    assert all(word in told for word in words)


@pytest.mark.parametrize(
    ("lines", "place", "words"),
    [
        (
            'middleware = "gzip"',
            "target.1.middleware.1",
            ["not a middleware; known are none, profiler", "'gzip'"],
        ),
        ('middleware = "shop"', "target.1.middleware.1", ["write module:callable"]),
        ("middleware = []", "target.1.middleware", ["empty list"]),
        ('middleware = ["lint", "lint"]', "target.1.middleware", ["same value twice"]),
    ],
)
def test_a_mistake_in_middleware_is_told(lines: str, place: str, words: list[str]) -> None:
    text = ORDERS.replace('app = "shop:app"\n', f'app = "shop:app"\n{lines}\n')
    (told,) = mistakes(text)
    assert told.startswith(f"9: {place}: ")
    assert all(word in told for word in words)


def test_middleware_is_for_an_app() -> None:
    text = HEAD + TARGET.replace('app = "shop:app"', 'url = "http://127.0.0.1:8000"\nmiddleware = "etag"')
    (told,) = mistakes(text + SCENARIO)
    assert "middleware is for an app" in told


def test_a_proxy_that_would_find_nothing_to_compress_is_refused() -> None:
    text = ORDERS.replace('app = "shop:app"\n', 'app = "shop:app"\nmiddleware = ["none", "compress-br"]\n')
    assert suite_of(f'{text}[[proxy]]\nkind = "nginx"\n').proxy
    (told,) = mistakes(f'{text}[[proxy]]\nkind = "nginx"\ngzip = [false, true]\n')
    for word in ("orders.csv", "compress-br", "two suites"):
        assert word in told


def test_arrivals_have_an_axis_of_rates_and_one_of_spacings() -> None:
    text = HEAD + TARGET + SERVER + ARRIVALS
    (scenario,) = suite_of(text.replace("20, 50", "20, 0.5")).scenario
    assert list(scenario.loads()) == [
        Arrivals(20, "constant", 1000),
        Arrivals(20, "poisson", 1000),
        Arrivals(0.5, "constant", 1000),
        Arrivals(0.5, "poisson", 1000),
    ]
    (scenario,) = suite_of(text.replace("spacing", "most_in_flight = 7\n#")).scenario
    assert list(scenario.loads()) == [Arrivals(20, "poisson", 7), Arrivals(50, "poisson", 7)]


def test_a_file_of_nothing_misses_everything_that_is_needed() -> None:
    assert mistakes("") == [f"1: {key}: missing" for key in ("name", "target", "scenario")]


def test_what_is_no_table_is_told() -> None:
    told = mistakes(HEAD + "target = [5]\nserver = 5\nscenario = []\ngate = [[]]\n")
    assert [line.split(": ")[:2] for line in told] == [
        ["5", "target.1"],
        ["6", "server"],
        ["7", "scenario"],
        ["8", "gate.1"],
    ]


def test_a_very_long_value_is_shown_in_part() -> None:
    (told,) = mistakes(ORDERS.replace('"shop:app"', f'"{"x" * 100_000}"'))
    assert len(told) < 200


@pytest.mark.parametrize(
    "text",
    [
        "name = ",
        "a = 1\na = 2",
        "[[target]",
        "\x00",
        "n = " + "9" * 5000,
        "a = " + "[" * 5000,
        "\ufeffname = 1",
    ],
)
def test_what_is_no_toml_is_told(text: str) -> None:
    with pytest.raises(UsageError, match=r"^orders\.toml is not valid TOML: "):
        suite_of(text)


def test_options_that_the_server_would_ignore_are_told_with_their_place() -> None:
    text = ORDERS.replace(
        'worker_class = "sync"', 'worker_class = ["gthread", "sync"]\nthreads = 4\nworkers = 0'
    )
    told = mistakes(text)
    assert told[0].startswith(f"{line_of(text, '[[server]]')}: server.1: ")
    message = "\n".join(told)
    assert "no use for threads = 4" in message
    assert "gunicorn workers is 0" in message


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("workers = []", "workers: an empty list"),
        ("workers = [1, 1]", "workers: the same value twice"),
        ("workers = [[1]]", "allowed is a whole number"),
        ("workers = true", "workers is True"),
        ("axes = 5", "no option axes"),
        ("__class__ = 5", "no option __class__"),
        ("kind_ = 5", "no option kind_"),
    ],
)
def test_server_options_are_checked_when_the_file_is_read(options: str, words: str) -> None:
    assert words in "\n".join(mistakes(ORDERS.replace('worker_class = "sync"', options)))


def test_gates_are_checked_when_the_file_is_read() -> None:
    def told(old: str, new: str) -> str:
        assert old in GATE
        (line,) = mistakes(ORDERS + GATE.replace(old, new))
        return line

    assert "gate.1.metric: not a known metric; known are ttfb_p50" in told('"ttfb_p50"', '"ttfb"')
    assert "gate.1.at_most: '0.5' is no limit" in told('"0.5 of baseline"', '"0.5"')
    assert "gate.1.at_most: not a limit" in told('"0.5 of baseline"', "0.5")
    assert "gate.1.at_most: not a limit" in told('"0.5 of baseline"', "[1]")
    assert "its limit is at_most" in told("at_most", "at_least")
    assert "its limit is at_least" in told('"ttfb_p50"', '"throughput"')
    assert "gate.1: give either at_most or at_least" in told('at_most = "0.5 of baseline"', "")
    assert "gate.1.case" in told('"orders.csv rows=500"', '""')


def test_a_suite_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    for name in ("quikc", str(tmp_path), "n" * 300):
        with pytest.raises(UsageError, match=r"quick|too long"):
            load_suite(name)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "suite.toml"
    path.write_bytes(b"name = '\xff'")
    with pytest.raises(UsageError, match=r"suite\.toml cannot be read"):
        load_suite(str(path))


def test_a_file_is_read_where_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "suite.toml"
    path.write_text(ORDERS.replace('app = "shop:app"', 'app = "shop:app"\ndirectory = "shop"'))
    with pytest.raises(
        UsageError, match=rf"suite\.toml:9: target\.1\.directory: {tmp_path}/shop is not a folder"
    ):
        load_suite(str(path))
    (tmp_path / "shop").mkdir()
    suite = load_suite(str(path))
    assert suite.target[0].directory == tmp_path / "shop"
    assert suite.folder == tmp_path


def test_a_case_that_must_fail_has_no_baseline() -> None:
    text = HEAD + TARGET + FAILING + SERVER + SCENARIO
    assert suite_of(text).target[1].baseline is None
    (told,) = mistakes(text.replace('expect = "failure"', 'expect = "failure"\nbaseline = "/x"'))
    assert "target.2.baseline" in told
    assert "never timed and has no baseline; leave baseline out" in told


def test_a_margin_is_checked_when_the_file_is_read() -> None:
    margin = GATE.replace('at_most = "0.5 of baseline"', 'margin = "3%"')
    gate = suite_of(ORDERS + margin).gate[0]
    assert (gate.limit, gate.allowed) == (None, Margin(0.03))
    (told,) = mistakes(ORDERS + margin.replace('"3%"', '"3 ms"'))
    assert "gate.1.margin: '3 ms' is no margin" in told
    (told,) = mistakes(ORDERS + GATE + 'margin = "3%"\n')
    assert "gate.1: give either at_most or at_least (for run), or margin (for ab)" in told


def test_an_interpreter_and_a_preparation_are_for_an_app_with_a_directory(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    own = 'app = "shop:app"\npython = "shop/.venv/bin/python"\nprepare = ["make", "env"]'
    target = suite_of(ORDERS.replace('app = "shop:app"', f'{own}\ndirectory = "shop"'), tmp_path).target[0]
    assert target.python == tmp_path / "shop" / ".venv" / "bin" / "python"
    assert target.prepare == ("make", "env")
    told = mistakes(ORDERS.replace('app = "shop:app"', own), tmp_path)
    assert [line.split(": ")[1] for line in told] == ["target.1.python", "target.1.prepare"]
    assert all("name its directory too" in line for line in told)
    text = ORDERS.replace('app = "shop:app"', f'{own}\ndirectory = "shop"')
    for wrong in ("[]", '[""]', "[5]", '"make env"'):
        (line,) = mistakes(text.replace('["make", "env"]', wrong), tmp_path)
        assert "target.1.prepare: not a command; write a list of its words" in line


def test_a_link_to_an_interpreter_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to("/somewhere/else/python")
    own = 'app = "shop:app"\ndirectory = "."\npython = "python"'
    suite = suite_of(ORDERS.replace('app = "shop:app"', own), tmp_path)
    assert suite.target[0].python == tmp_path / "python"
