"""`init`: the suite that it writes from words or answers, and what it says when it asks the app."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli import main
from harness.programs.ports import free_port
from harness.suites.file import load_suite
from harness.suites.suite import Suite
from results.errors import ExitCode
from tests.cli.conftest import environment, once
from tests.cli.init_apps import APP, FACTORY, READY_MADE
from tests.cli.spoilt import Done
from tests.cli.terminal import in_terminal

TOLD = (
    "--app",
    "shop:app",
    "--header",
    "X-Token: t",
    "--stream",
    "/rows?rows={rows}",
    "--axis",
    "rows=40,200",
)
WHOLE = ("--baseline", "/whole")

Init = Callable[..., Done]


@pytest.fixture
def init(tmp_path: Path) -> Init:
    """The verb in a folder with an app, with nobody at a terminal."""
    (tmp_path / "shop.py").write_text(APP)

    def run(*words: str, **variables: str) -> Done:
        return once(tmp_path, "init", *words, **variables)

    return run


def suite_in(folder: Path, name: str = "streaming.toml") -> Suite:
    return load_suite(str(folder / name))


def row(done: Done, name: str) -> list[str]:
    """The cells of a response's row in the table."""
    (line,) = (line for line in done.stdout.splitlines() if line.startswith(f"{name} "))
    return [cell.strip() for cell in line.split("│")]


def test_words_make_a_suite_that_is_asked_once_each_way(init: Init, tmp_path: Path) -> None:
    done = init("orders.toml", *TOLD, *WHOLE, "--users", "1,8")
    assert done.returncode == ExitCode.GOOD, done.stderr
    assert row(done, "rows whole")[:7] == ["rows whole", "200", "16,000", "length", "–", "–", "–"]
    assert row(done, "rows rows=40")[:7] == ["rows rows=40", "200", "16,000", "chunked", "20", "800", "800"]
    assert row(done, "rows rows=200")[:7] == [
        "rows rows=200",
        "200",
        "16,000",
        "chunked",
        "4",
        "4,000",
        "4,000",
    ]
    assert "Every streamed response is its whole form, byte for byte." in done.stdout
    assert "6 cases in 8 blocks" in done.stdout
    suite = suite_in(tmp_path, "orders.toml")
    assert suite.target[0].headers == {"X-Token": "t"}
    assert "the slowest response took" in suite.text
    planned = once(tmp_path, "plan", "orders.toml")
    assert planned.returncode == ExitCode.GOOD
    about = done.stdout.partition("windows of 1 s: ")[2].partition(" for a run")[0]
    assert about.startswith("about ")
    assert f"; {about}\n" in planned.stdout
    assert done.stdout.rstrip().endswith("streamgauge plan orders.toml\n  streamgauge run orders.toml")


def test_what_is_missing_is_named_where_nobody_can_be_asked(init: Init, tmp_path: Path) -> None:
    done = init()
    assert done.returncode == ExitCode.USAGE
    assert "needs --app (or --command, or --url), --stream, --baseline, and without a terminal" in done.stderr
    done = init("--app", "shop:app", "--stream", "/rows?rows={rows}", "--baseline", "join")
    assert done.returncode == ExitCode.USAGE
    assert "a suite needs --axis rows=..., and" in done.stderr
    assert not list(tmp_path.glob("*.toml"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--app", "shop"), "'shop' is not an app; write module:name"),
        (("--stream", "rows"), "'rows' is not a path"),
        (("--url", "http://127.0.0.1:65536"), "there is no port 65536"),
        (("--command", "serve shop"), "it must say where the server listens"),
        (("--axis", "rows"), "'rows' is not an axis; write one like rows=20,100,500"),
        (("--axis", "rows=1,1"), "the same value twice"),
        (("--axis", "rows=a b"), "not a value for a path"),
        (("--axis", "timeout=1"), "'timeout' is a key of its own in a suite"),
        (("--axis", "rows=7"), "--axis rows is there twice"),
        (("--header", "X-Token: u"), "--header X-Token is there twice"),
        (("--stream", "/rows?t={timeout}"), "names {timeout}, a key of its own in a suite"),
        (("--server", "apache"), "'apache' is not a known kind; known are gunicorn"),
        (("--server", "gunicorn/async"), "gunicorn worker_class 'async' is not known here"),
        (("--server", "waitress/sync"), "an option is given as waitress/OPTION=VALUE"),
        (("--server", "gunicorn/threads=4"), "leave threads out, or set worker_class"),
        (("--server", "waitress/threads=four"), "waitress threads is 'four'"),
        (("--axis", "rows=1,,2"), "'1,,2' has a value of nothing between its commas"),
        (("--header", "X-Token"), "'X-Token' has no ':'"),
        (("--header", "X: a\nb"), "not a header's value"),
        (("--environment", "A=b\nc"), "several lines"),
        (("--body", "a\nb"), "several lines"),
        (("--prepare", "make 'data"), '--prepare "make \'data" is not a command line'),
        (("--users", "0"), "not a list of numbers from 1"),
        (("--directory", "nowhere"), "--directory: nowhere is not a folder"),
        (("--url", "http://127.0.0.1:80"), "--app and --url each say what is measured"),
        (("--axis", "n=1"), "--axis n: {n} is not in the path of the stream"),
        (("--baseline", "/whole?n={n}"), "--baseline names {n} and --stream does not"),
        (("--pid", "7"), "--pid has no use beside --app"),
        (("orders.txt",), "'orders.txt' is no name for a suite file"),
        (("--check",), "--check asks what the file says, and writes nothing; leave out --app"),
    ],
)
def test_words_that_make_no_suite_are_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", *TOLD, *WHOLE, *words]) == ExitCode.USAGE
    assert told in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_stays(init: Init, tmp_path: Path) -> None:
    (tmp_path / "streaming.toml").write_text("mine")
    done = init(*TOLD, *WHOLE, "--no-check")
    assert done.returncode == ExitCode.USAGE
    assert "streaming.toml is there already; name another file, write over it with --force" in done.stderr
    assert (tmp_path / "streaming.toml").read_text() == "mine"
    done = init(*TOLD, *WHOLE, "--no-check", "--force")
    assert done.returncode == ExitCode.GOOD, done.stderr
    assert "byte for byte" not in done.stdout
    assert suite_in(tmp_path).target[0].baseline == "/whole"


def test_paths_are_those_from_the_file(tmp_path: Path) -> None:
    shop = tmp_path / 'the "größte" shop'
    shop.mkdir()
    (shop / "shop.py").write_text(APP)
    words = (
        "../benchmarks/orders.toml",
        *TOLD,
        "--baseline",
        "join",
        "--python",
        "venv/bin/python",
        "--no-check",
    )
    (shop / "venv" / "bin").mkdir(parents=True)
    (shop / "venv" / "bin" / "python").symlink_to(sys.executable)
    done = once(shop, "init", *words)
    assert done.returncode == ExitCode.GOOD, done.stderr
    suite = suite_in(tmp_path, "benchmarks/orders.toml")
    assert suite.target[0].directory == shop
    assert suite.target[0].python == shop / "venv" / "bin" / "python"
    assert str(tmp_path) not in suite.text


def test_a_stream_that_is_another_response_is_told_and_asked_again(init: Init, tmp_path: Path) -> None:
    done = init(*TOLD, "--baseline", "/whole?total=799")
    assert done.returncode == ExitCode.INVALID
    assert "rows rows=40, rows rows=200: from byte 15,980 on it differs from its whole form" in done.stderr
    text = (tmp_path / "streaming.toml").read_text()
    number = text[: text.index("baseline = ")].count("\n") + 1
    assert (
        f'streaming.toml:{number}: baseline = "/whole?total=799"  (is this the same response built whole?'
        in done.stderr
    )
    assert "ask again with: streamgauge init streaming.toml --check" in done.stderr
    mended = text.replace("?total=799", "").replace('window = "1s"', 'window = "4s"')
    (tmp_path / "streaming.toml").write_text(mended)
    done = init("--check")
    assert done.returncode == ExitCode.GOOD, done.stderr
    assert "byte for byte" in done.stdout
    assert (tmp_path / "streaming.toml").read_text() == mended


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--stream", "/nowhere?rows={rows}"), ["status 404 instead of 200", ': stream = "/nowhere']),
        (("--header", "X-Other: t"), ["status 403 instead of 200", ": headers = { X-Other"]),
        (("--stream", "/broken?rows={rows}"), ["status 500 instead of 200", "no such order book"]),
        (("--stream", "/clock?rows={rows}", "--baseline", "/whole"), ["it differs", ': # check = "length"']),
        (("--app", "shopp:app"), ["ended with code", "No module named 'shopp'", ': app = "shopp:app"']),
        (("--ready", "/broken"), ["answered /broken with status 500", ': ready = "/broken"']),
        (("--python", "nowhere/python"), ["correct the path", ': python = "nowhere/python"']),
        (("--prepare", "false"), ["ended with code 1", ': prepare = ["false"]']),
    ],
)
def test_what_went_wrong_is_told_with_the_line_that_decides_it(
    init: Init, tmp_path: Path, words: tuple[str, ...], told: list[str]
) -> None:
    given = TOLD if words[0] != "--header" else (*TOLD[:2], *TOLD[4:])
    done = init(*given, "--baseline", "join", *words)
    assert done.returncode == ExitCode.INVALID
    for text in told:
        assert text in done.stderr
    assert suite_in(tmp_path), "it is kept"


def test_a_response_that_changes_by_itself_is_seen_when_it_is_asked_again(init: Init) -> None:
    """Both forms come from processes of their own here, whose first responses are alike."""
    stream = ("--stream", "/clock?rows={rows}", "--axis", "rows=200", "--baseline", "join")
    done = init(*TOLD[:4], *stream)
    assert done.returncode == ExitCode.INVALID
    assert "asked once it was right, asked again it was not" in done.stderr
    assert ': # check = "length"' in done.stderr


def test_an_environment_of_the_app_s_own_is_pointed_at(init: Init, tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    done = init(*TOLD, *WHOLE, "--app", "shopp:app")
    assert 'python = ".venv/bin/python" would run it there' in done.stderr


def test_a_response_that_is_small_or_not_streamed_is_doubted(init: Init) -> None:
    done = init(*TOLD[:4], "--stream", "/rows?total=9&rows={rows}", "--axis", "rows=9", "--baseline", "join")
    assert done.returncode == ExitCode.GOOD, done.stderr
    assert "Doubtful: the response has 180 bytes" in done.stdout
    assert "came in one chunk: it does not stream" in done.stdout


def test_a_slow_response_gets_a_window_for_ten_of_it(init: Init, tmp_path: Path) -> None:
    done = init(*TOLD[:4], "--stream", "/slow", *WHOLE)
    assert done.returncode == ExitCode.GOOD, done.stderr
    assert suite_in(tmp_path).window >= 10 * 0.3
    assert "fit into a window" not in done.stdout


def test_chunks_that_the_load_driver_cannot_take_are_doubted(init: Init, tmp_path: Path) -> None:
    """All chunks of a response are there at once: the server has next to nothing to do for each.

    But for the smallest ones it rests, so that the driver is not busy with others whatever the machine.
    """
    (tmp_path / "ready made.py").write_text(READY_MADE)
    serve = f"{shlex.quote(sys.executable)} 'ready made.py' {{bind}}"
    words = ("--command", serve, "--stream", "/in/{size}", "--axis", "size=1,50000", "--baseline", "/whole")
    done = init(*words)
    assert done.returncode == ExitCode.GOOD, done.stderr
    assert "Doubtful: the load driver can hardly take in size=1 (chunks of 1 bytes" in done.stdout
    assert "Leave it out: in size=50000" in done.stdout


def test_a_url_is_asked_where_it_is(init: Init, tmp_path: Path) -> None:
    port = free_port()
    gunicorn = [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", "shop:app"]
    with subprocess.Popen(gunicorn, cwd=tmp_path, env=environment(), stderr=subprocess.DEVNULL) as process:
        try:
            words = ("--url", f"http://127.0.0.1:{port}", "--pid", str(process.pid), *TOLD[2:], *WHOLE)
            done = init(*words)
        finally:
            process.terminate()
    assert done.returncode == ExitCode.GOOD, done.stderr
    target = suite_in(tmp_path).target[0]
    assert (target.url, target.pid, target.directory) == (f"http://127.0.0.1:{port}", process.pid, None)


def test_a_url_at_which_nobody_is_is_told(init: Init) -> None:
    done = init("--url", f"http://127.0.0.1:{free_port()}", *TOLD[2:], *WHOLE)
    assert done.returncode == ExitCode.INVALID
    assert "streamgauge does not start this server: start it before" in done.stderr
    assert ': url = "http://127.0.0.1:' in done.stderr


def test_who_ends_it_leaves_nothing_behind(init: Init, tmp_path: Path) -> None:
    """As a CI server does, while a response is waited for."""
    private = tmp_path / "private"
    private.mkdir()
    asked = tmp_path / "asked"

    def end(text: str, pid: int) -> None:
        if text.rstrip().endswith("Asking each response once ..."):
            while not asked.exists():
                time.sleep(0.05)
            os.kill(pid, signal.SIGTERM)

    words = (*TOLD[:4], "--stream", "/forever", *WHOLE)
    seen = in_terminal(tmp_path, "init", *words, variables={"TMPDIR": str(private)}, react=end)
    assert seen.code == ExitCode.INTERRUPTED
    assert not list(private.iterdir())


def test_who_sits_at_a_terminal_is_asked(init: Init, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        APP + "\nfrom flask import Flask\nweb = Flask(__name__)\nweb.wsgi_app = app\n"
        "@web.get('/healthz')\ndef up(): ...\n"
    )
    (tmp_path / ".venv").symlink_to(sys.prefix)
    answers = ["\n", "\n", "\n", "/rows?rows={rows}\n", "40,40\n", "40, 200\n", "\n", "/\n"]
    seen = in_terminal(tmp_path, "init", "orders.toml", "--header", "X-Token: t", answers=answers)
    assert seen.code == ExitCode.GOOD, seen.text
    for text in (
        "Directory [.]:",
        "App, command or url [shop:web]:",
        "There is an environment: .venv/bin/python.",
        "Paths found in the app: /healthz.",
        "has the same value twice",
        "Values of rows [20,100,500]:",
        "Baseline [join]:",
        "Ready [/healthz]:",
        "Every streamed response is its whole form",
    ):
        assert text in seen.text
    (target,) = suite_in(tmp_path, "orders.toml").target
    assert target.python == tmp_path / ".venv" / "bin" / "python"
    assert (target.app, target.axes, target.baseline, target.ready) == (
        "shop:web",
        {"rows": [40, 200]},
        "join",
        "/",
    )


def test_who_goes_away_leaves_no_file(init: Init, tmp_path: Path) -> None:
    (tmp_path / "shop.py").unlink()
    seen = in_terminal(tmp_path, "init", answers=["\n", "\x04"])
    assert seen.code == ExitCode.INTERRUPTED
    assert not (tmp_path / "streaming.toml").exists()
    assert "App, command or url: " in seen.text, "nothing was found, and nothing is proposed"


def test_an_app_that_a_function_makes_is_found_and_measured(init: Init, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(FACTORY)
    assert "there seems to be shop:create_app()." in init().stderr
    words = ("--stream", "/rows", "--baseline", "join", "--ready", "/health")
    done = init("--app", "shop:create_app()", *words)
    assert done.returncode == ExitCode.GOOD, done.stderr
    assert "byte for byte" in done.stdout
    done = init("--app", "shop:create_app", *words, "--force")
    assert done.returncode == ExitCode.INVALID
    assert 'named with its parentheses: app = "shop:create_app()"' in done.stderr
    look = done.stderr.partition("Look at")[2]
    assert look.count("streaming.toml:") == 1
    assert ': app = "shop:create_app"' in look


def looked_at(done: Done) -> list[str]:
    """The lines of the suite that are blamed, without their numbers and remedies."""
    lines = done.stderr.partition("Look at\n")[2].splitlines()
    return [line.partition(": ")[2].partition("  (")[0] for line in lines if line.startswith("  streaming")]


def test_a_stream_without_an_end_is_told_as_one(init: Init, tmp_path: Path) -> None:
    """And is asked once, whatever its axes, and never collected."""
    words = ("--stream", "/forever?rows={rows}", "--axis", "rows=1,2", "--baseline", "join", "--no-check")
    assert init(*TOLD[:4], *words).returncode == ExitCode.GOOD
    file = tmp_path / "streaming.toml"
    file.write_text(file.read_text().replace('# timeout = "30s"', 'timeout = "1s"'))
    done = init("--check")
    assert done.returncode == ExitCode.INVALID
    assert "it had not ended (no complete response within 1 s)" in done.stderr
    assert "A stream that is measured has to end" in done.stderr
    assert "last words" not in done.stderr
    assert done.stderr.count("came, and it had not ended") == 1
    assert looked_at(done) == ['stream = "/forever?rows={rows}"']
    assert [line for line in done.stdout.splitlines() if "whole" in line] == []


def test_a_whole_form_that_fails_is_all_that_is_told(init: Init) -> None:
    done = init(*TOLD, "--baseline", "/nowhere")
    assert done.returncode == ExitCode.INVALID
    assert "rows whole: status 404 instead of 200" in done.stderr
    assert "differs" not in done.stderr
    assert looked_at(done) == ['baseline = "/nowhere"', "# status = 200"]


def test_only_the_lines_that_can_be_wrong_are_blamed(init: Init) -> None:
    done = init(*TOLD, *WHOLE, "--python", "nowhere/python")
    assert "correct the path" in done.stderr
    assert looked_at(done) == ['python = "nowhere/python"']
