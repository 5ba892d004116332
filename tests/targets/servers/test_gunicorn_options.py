import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from gunicorn.config import make_settings

from targets.servers import KINDS, OptionError
from targets.servers.gunicorn import (
    DEFAULTS,
    Options,
    arguments,
    in_force,
    read_options,
    worker_class_that_ran,
)

GUNICORN_NAMES = {
    "workers": "workers",
    "preload": "preload_app",
    "threads": "threads",
    "timeout_s": "timeout",
    "keep_alive_s": "keepalive",
}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"worker_class": "sync", "threads": 4}, ("'sync'", "threads = 4", "gthread")),
        ({"worker_class": "sync", "threads": 1}, ("'sync'", "threads = 1", "leave threads out")),
        ({"threads": 4}, ("'sync'", "threads = 4", "gthread")),
        ({"worker_class": "sync", "keep_alive_s": 5}, ("'sync'", "keep_alive_s = 5", "gthread")),
        ({"worker_class": "gevent", "threads": 2}, ("'gevent'", "threads = 2", "leave threads")),
        ({"worker_class": "gthread", "threads": 1000}, ("threads", "1000", "1 to 999")),
        ({"worker_class": "eventlet"}, ("worker_class", "'eventlet'", "sync, gthread, gevent")),
        ({"worker_class": ["sync"]}, ("worker_class", "['sync']", "sync, gthread, gevent")),
        ({"workers": 0}, ("workers", "0", "1 to 512")),
        ({"workers": True}, ("workers", "True", "whole number")),
        ({"workers": "2"}, ("workers", "'2'", "whole number")),
        ({"workers": 1.5}, ("workers", "1.5", "whole number")),
        ({"timeout_s": -1}, ("timeout_s", "-1", "0 to 86400")),
        ({"worker": 2, "keepalive": 1}, ("worker, keepalive", "workers, preload, threads, timeout_s")),
        ({"preload": 1}, ("preload", "1", "true and false")),
        ({"preload": "yes"}, ("preload", "'yes'", "true and false")),
    ],
)
def test_an_option_that_would_not_do_what_it_says_is_refused(
    given: dict[str, object], words: tuple[str, ...]
) -> None:
    with pytest.raises(OptionError) as refused:
        read_options(given)
    assert str(refused.value).startswith("gunicorn ")
    for word in words:
        assert word in str(refused.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(OptionError) as refused:
        read_options({"workers": 0, "threads": 2, "keep_alive_s": 1, "timeout_s": -1})
    assert len(str(refused.value).splitlines()) == 4


def test_defaults_are_gunicorns_own(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = make_settings()
    for defaults in DEFAULTS.values():
        for name, value in defaults.items():
            assert settings[GUNICORN_NAMES[name]].get() == value


def test_options_in_force_hold_the_defaults_that_the_class_reads() -> None:
    assert in_force(Options()) == {"worker_class": "sync", "workers": 1, "preload": False, "timeout_s": 30}
    assert in_force(Options("gthread", threads=8, keep_alive_s=0)) == {
        "worker_class": "gthread",
        "workers": 1,
        "preload": False,
        "threads": 8,
        "timeout_s": 30,
        "keep_alive_s": 0,
    }
    assert "threads" not in in_force(Options("gevent"))


def test_an_option_given_as_its_default_is_the_same_case() -> None:
    assert in_force(Options(workers=1, timeout_s=30)) == in_force(Options())


def effective(options: Options, folder: Path, environment: dict[str, str]) -> dict[str, str]:
    """The settings that gunicorn itself prints for our command."""
    *command, app = arguments(
        options, app="targets.csv_app:app", host="::1", port=8123, python=sys.executable
    )
    output = subprocess.run(
        [*command, "--print-config", app],
        cwd=folder,
        env=os.environ | environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return dict(re.findall(r"^(\w+) += (.*)$", output, re.MULTILINE))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(), {"worker_class": "sync", "workers": "1", "threads": "1", "timeout": "30"}),
        (Options(preload=True), {"worker_class": "sync", "preload_app": "True"}),
        (Options("gevent", preload=False), {"worker_class": "gevent", "preload_app": "False"}),
        (
            Options("gthread", workers=2, threads=4, timeout_s=7, keep_alive_s=9),
            {
                "worker_class": "gthread",
                "workers": "2",
                "threads": "4",
                "timeout": "7",
                "keepalive": "9",
            },
        ),
        (Options("gevent", keep_alive_s=0), {"worker_class": "gevent", "keepalive": "0"}),
    ],
)
def test_gunicorn_understands_it_so_whatever_lies_around(
    options: Options, expected: dict[str, str], tmp_path: Path
) -> None:
    tmp_path.joinpath("gunicorn.conf.py").write_text("threads = 8\nmax_requests = 1\n")
    disturbing = {"GUNICORN_CMD_ARGS": "--threads 8 --workers 3 -k gthread --timeout 1"}
    settings = effective(options, tmp_path, disturbing | {"WEB_CONCURRENCY": "5"})
    expected |= {
        "bind": "['[::1]:8123']",
        "control_socket_disable": "True",
        "max_requests": "0",
        "accesslog": "None",
        "errorlog": "-",
    }
    assert {name: settings[name] for name in expected} == expected
    if Path("/dev/shm").is_dir():
        assert settings["worker_tmp_dir"] == "/dev/shm"


def test_variables_that_gunicorn_would_read_are_listed() -> None:
    listed = set(KINDS["gunicorn"].VARIABLES_TO_CLEAR)
    assert {"GUNICORN_CMD_ARGS", "WEB_CONCURRENCY", "GUNICORN_PID", "LISTEN_FDS"} <= listed


def test_the_class_is_read_from_gunicorns_own_line_only() -> None:
    line = "[2026-01-01 10:00:00 +0000] [77] [INFO] Using worker: gthread"
    assert worker_class_that_ran(f"Using worker: mine\n{line}\nmore") == "gthread"
    assert worker_class_that_ran("Using worker: mine\n") is None
    assert worker_class_that_ran("") is None
