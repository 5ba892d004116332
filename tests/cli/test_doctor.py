"""``doctor``: words, exit codes and what is printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Streamgauge, once
from tests.harness.doctor import breakers
from tests.synthetic.server import SyntheticServer

HELD = {"chunks": (2000,), "repeat": 20, "headers_after_s": 0.2}


@pytest.fixture(scope="module")
def server() -> Iterator[SyntheticServer]:
    with SyntheticServer() as running:
        yield running


def url(server: SyntheticServer, **reply: object) -> str:
    return f"http://{server.host}:{server.port}{server.path(**reply)}"  # type: ignore[arg-type]


def test_exit_codes_say_whether_a_url_streams(streamgauge: Streamgauge, server: SyntheticServer) -> None:
    streams = streamgauge("doctor", url(server, chunks=(2000,), repeat=20, pace_s=0.01))
    assert (streams.returncode, "streams." in streams.stdout) == (0, True)
    held = streamgauge("doctor", url(server, **HELD))
    assert held.returncode == 1
    assert "is held to the end. Which layer does so cannot be seen from outside" in held.stdout
    small = url(server, chunks=(10,))
    assert streamgauge("doctor", small).returncode == 0
    strict = streamgauge("doctor", small, "--strict")
    assert strict.returncode == 4
    assert "cannot tell" in strict.stdout
    assert "10 B in one piece are too few to tell" in strict.stdout


def test_json_has_all_of_it(streamgauge: Streamgauge, server: SyntheticServer) -> None:
    done = streamgauge("doctor", url(server, **HELD), "--json")
    document = json.loads(done.stdout)
    assert document["format"] == "streamgauge.diagnosis.v1"
    assert document["delivery"] == "held to the end"
    assert [layer["kind"] for layer in document["layers"]] == ["as it arrives"]


def test_an_app_is_bisected_and_the_layer_named_with_its_place(tmp_path: Path) -> None:
    breakers.lay_out(tmp_path)
    done = once(tmp_path, "doctor", "with_class:app", "/rows", COLUMNS="100")
    assert done.returncode == 1, done.stderr
    assert "with_class:app /rows is held to the end by the middleware with_class.Wq7." in done.stdout
    assert "(with_class.py:7)" in done.stdout
    assert "PEP 3333" in done.stdout
    assert all(len(line) <= 100 for line in done.stdout.splitlines() if "│" in line)


def test_an_app_that_a_function_makes_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "from flask import Flask\n\ndef create_app():\n    made = Flask(__name__)\n"
        "    @made.get('/')\n    def rows():\n        return iter([b'a,b\\n' * 100] * 20)\n    return made\n"
    )
    done = once(tmp_path, "doctor", "shop:create_app()", "/")
    assert done.returncode == 0, done.stderr
    assert "shop:create_app() / streams." in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("shop:app",), 2, "name the path of the response too"),
        (("shop", "/rows"), 2, "not an app; write module:name"),
        (("shop:app", "rows"), 2, "it begins with"),
        (("shop:app", "/rows", "--server", "apache"), 2, "known kinds are"),
        (("shop:app", "/rows", "--server", "waitress/4"), 2, "waitress/OPTION=VALUE"),
        (("shop:app", "/rows", "--proxy", "nginx/speed=9"), 2, "no option speed"),
        (("shop:app", "/rows", "--command", "serve {bind}"), 2, "{app}"),
        (("shop:app", "/rows", "--proxy", "nginx", "--proxy-command", "x"), 2, "not both"),
        (("shop:app", "/rows", "--header", "nothing"), 2, "write it like NAME:VALUE"),
        (("shop:app", "/rows", "--directory", "nowhere"), 2, "nowhere"),
        (("http://127.0.0.1:9/", "/rows"), 2, "a URL is asked as it is"),
        (("http://127.0.0.1:9/", "--proxy", "nginx"), 2, "--proxy is for an app"),
        (("http://127.0.0.1:9/", "--server", "waitress"), 2, "--server is for an app"),
        (("ftp://127.0.0.1/",), 2, "write http:// or https://"),
        (("http://127.0.0.1:99999/",), 2, "out of range"),
        (("http://[::1/x",), 2, "Invalid IPv6"),
        (("http:///x",), 2, "it names no host"),
        (("127.0.0.1:8000/x",), 2, "a URL begins with http://"),
        (("localhost:8000", "/x"), 2, "a URL begins with http://"),
        (("http://127.0.0.1:9/",), 3, "Connection refused"),
    ],
)
def test_mistakes_are_told_with_what_to_write(
    streamgauge: Streamgauge, words: tuple[str, ...], code: int, message: str
) -> None:
    done = streamgauge("doctor", *words)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "fault of streamgauge" not in done.stderr
