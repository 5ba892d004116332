"""``conform`` as a user has it: real servers, the documents' page, exit codes, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from harness.cli.conform import command
from harness.conformance import chosen, examine
from harness.conformance.subject import Subject
from results.conformance.document import from_document
from results.conformance.findings import Conformance, Finding
from results.conformance.questions import QUESTIONS, Check, Outcome
from results.errors import ExitCode, MeasurementError
from targets.servers.gunicorn import DEFAULTS as GUNICORN
from tests.cli.conftest import PROGRAM, Streamgauge, environment, once
from tests.cli.processes import command_of, descendants, still_there
from tests.cli.terminal import in_terminal
from tests.servers_page import kept

FRESH = ("gunicorn/sync", "waitress")


def qualities(found: Conformance, label: str) -> dict[str, tuple[Outcome, str]]:
    """What does not change from one measurement to the next."""
    (server,) = [server for server in found.servers if server.label == label]
    return {finding.question: (finding.outcome, finding.note) for finding in server.findings}


def test_a_fresh_conform_of_two_servers_is_what_the_page_shows(tmp_path: Path) -> None:
    """Beside each other: they sleep for most of the time."""

    def conformed(label: str) -> Conformance:
        folder = tmp_path / label.replace("/", "-")
        folder.mkdir()
        done = once(folder, "conform", label, "--json", "--output", "found.json")
        assert done.returncode == ExitCode.GOOD, done.stderr
        assert done.stdout == ""
        assert [path.name for path in folder.iterdir()] == ["found.json"]
        return from_document(json.loads((folder / "found.json").read_text()))

    with ThreadPoolExecutor() as pool:
        for label, found in zip(FRESH, pool.map(conformed, FRESH), strict=True):
            assert qualities(found, label) == qualities(kept(), label)
            assert qualities(found, label).keys() == QUESTIONS.keys()
            assert found.flask == kept().flask


def test_what_waitress_does_with_send_bytes_is_seen(streamgauge: Streamgauge) -> None:
    done = streamgauge("conform", "waitress/send_bytes=18000", "--only", "flush", "--markdown")
    assert done.returncode == ExitCode.GOOD, done.stderr
    assert "| waitress/send_bytes=18000 | ✗ held, " in done.stdout
    assert "Rules that are broken" in done.stdout


@pytest.mark.parametrize(("server", "code"), [("gunicorn/sync", ExitCode.GOOD), ("waitress", ExitCode.WORSE)])
def test_strict_fails_where_a_rule_is_broken(streamgauge: Streamgauge, server: str, code: ExitCode) -> None:
    done = streamgauge("conform", server, "--only", "head", "--strict")
    assert done.returncode == code, done.stderr
    assert ("✗ head, body: sent (waitress). RFC 9110, 9.3.2" in done.stdout) is bool(code)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("apache",), "there is no server 'apache'"),
        (("waitress/threads=none",), "waitress threads is 'none'"),
        (("--only", "speed"), "'speed' is not one of"),
        (("--json", "--markdown"), "ask for one of them"),
        (("--output", "x"), "--output needs the form to write"),
        (("waitress", "--only", "flask"), "--only flask asks no server: leave out waitress"),
        (("waitress", "--json", "--output", "taken/found.json"), "cannot write taken/found.json: "),
        (("waitress", "--json", "--output", "/proc/none/found.json"), "name another place with --output"),
    ],
)
def test_wrong_words_are_refused_and_nothing_is_started(
    streamgauge: Streamgauge, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    (tmp_path / "taken").write_text("a file")
    done = streamgauge("conform", *words)
    assert done.returncode == ExitCode.USAGE
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
    assert told in done.stderr
    assert "1 of" not in done.stderr


def test_one_that_is_missing_is_told_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"gunicorn": "27.0.1"}
    monkeypatch.setattr(chosen, "version_of", there.get)
    monkeypatch.setattr(examine, "version_of", there.get)
    done = CliRunner().invoke(command, ["--only", "flask"], standalone_mode=False)
    assert done.return_value == ExitCode.GOOD
    assert "pyuwsgi" in done.stderr
    assert f"waitress is not installed: {sys.executable} -m pip install waitress" in done.stderr
    named = CliRunner().invoke(command, ["waitress"], standalone_mode=False)
    assert isinstance(named.exception, chosen.NotInstalled)


def test_what_cannot_be_told_is_no_answer_and_ends_with_3(monkeypatch: pytest.MonkeyPatch) -> None:
    def torn(_subject: Subject) -> list[Finding]:
        raise MeasurementError("the server took no connection")

    checks: dict[Check, Callable[[Subject], list[Finding]]] = {**examine.CHECKS, Check.HEAD: torn}
    monkeypatch.setattr(examine, "CHECKS", checks)
    words = ["gunicorn/sync", "--only", "head", "--only", "wsgi"]
    done = CliRunner().invoke(command, words, standalone_mode=False)
    assert done.return_value == ExitCode.INVALID
    assert "gunicorn/sync, head: could not be told: the server took no connection" in done.stderr
    (row,) = [line for line in done.stdout.partition("HEAD,")[2].splitlines() if "gunicorn/sync" in line][:1]
    assert row.count("?") == 4
    assert "at once" in done.stdout, "the other check was made"


@pytest.mark.parametrize("columns", [80, 120])
def test_tables_fit_a_terminal(tmp_path: Path, columns: int) -> None:
    only = [word for check in ("framing", "error", "flask") for word in ("--only", check)]
    seen = in_terminal(tmp_path, "conform", "gunicorn/sync", "waitress", *only, columns=columns)
    assert seen.code == ExitCode.GOOD, seen.text
    assert max(map(len, seen.text.splitlines())) <= columns
    assert "…" not in seen.text
    assert "server gunicorn/sync" not in seen.text, "there is room for every table"
    for word in ("HTTP/1.0", "stream_with_context", "missing)"):
        assert word in seen.text


@pytest.mark.parametrize(
    ("word", "told"),
    [("gunicorn/sync/timeout_s=0", "none"), ("gunicorn/sync/timeout_s=60", "not tried, 60 s")],
)
def test_a_timeout_that_is_given_is_the_one_that_is_asked_about(
    streamgauge: Streamgauge, word: str, told: str
) -> None:
    done = streamgauge("conform", word, "--only", "timeout", "--markdown")
    assert done.returncode == ExitCode.GOOD, done.stderr
    assert f"| {word} | {told} |" in done.stdout


def test_a_timeout_that_is_given_is_in_force_and_kept_with_the_finding(streamgauge: Streamgauge) -> None:
    """gunicorn looks each second: a worker is killed a second late at most, and never early."""
    done = streamgauge("conform", "gunicorn/sync/timeout_s=2", "--only", "timeout", "--json")
    assert done.returncode == ExitCode.GOOD, done.stderr
    (server,) = from_document(json.loads(done.stdout)).servers
    (finding,) = server.findings
    assert finding.outcome is Outcome.CUT_OFF
    assert finding.options == server.options == {**GUNICORN["sync"], "worker_class": "sync", "timeout_s": 2}
    lasted_s, timeout_s = finding.evidence["lasted_s"], finding.evidence["timeout_s"]
    assert lasted_s is not None
    assert timeout_s == 2
    assert lasted_s > timeout_s - 0.1, "0.1 s lie between two yields"


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = subprocess.Popen(
        [PROGRAM, "conform", "waitress", "--only", "stall"],
        cwd=tmp_path,
        env=environment() | {"TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        family: list[psutil.Process] = []
        assert process.stderr is not None
        assert process.stderr.read(len("1 of 1: waitress: stall")) == "1 of 1: waitress: stall"
        while not any("launch.py" in command_of(child) for child in family):
            family = descendants(process.pid)
        assert list(temporary.iterdir()), "else there would be nothing to leave behind"
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == ExitCode.INTERRUPTED, err
    assert "interrupted" in err
    assert out == ""
    assert still_there(family) == []
    assert list(temporary.iterdir()) == []
