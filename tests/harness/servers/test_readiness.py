"""When a server is ready: what its readiness path answers, on a port that nobody else was given."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.programs.ports import HOST, held_port
from harness.programs.processes import Processes
from harness.servers import serving as module
from harness.servers.serving import ServerFailed, environment_of, serving
from harness.suites.matrix import PlannedCase
from tests.harness.examples import SERVER, orders

APP = """
import itertools

def app(environ, start_response):
    start_response("200 OK", [])
    if environ["PATH_INFO"] == "/endless":
        return (b"more " * 1000 for _ in itertools.count())
    return [b"ready"]
"""


@pytest.fixture
def processes() -> Iterator[Processes]:
    with Processes() as started:
        yield started


def case(folder: Path, server: str = SERVER, **changed: object) -> PlannedCase:
    (folder / "shop.py").write_text(APP)
    planned = orders(server=server)[0]
    return replace(planned, target=planned.target.model_copy(update={"directory": folder, **changed}))


def test_a_readiness_path_that_never_ends_is_told(
    processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READY_TIMEOUT_S", 1.5)
    with (
        pytest.raises(
            ServerFailed, match=r"began to answer /endless and had not ended.*small response"
        ) as told,
        serving(
            case(tmp_path, ready="/endless"),
            processes=processes,
            folder=tmp_path,
            cores=None,
            python=sys.executable,
        ),
    ):
        pass
    assert told.value.keys == ("ready",)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a listener share a port that is held")
def test_a_port_that_is_held_is_given_to_nobody_else_and_to_the_server(
    processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, holder = held_port()
    assert holder is not None
    with holder, socket.socket() as other:
        with pytest.raises(OSError) as taken:  # noqa: PT011  - its number is asked for
            other.bind((HOST, port))
        assert taken.value.errno == errno.EADDRINUSE
        monkeypatch.setattr(module, "held_port", lambda _: (port, holder))
        planned = case(tmp_path)
        with serving(
            planned, processes=processes, folder=tmp_path, cores=None, python=sys.executable
        ) as server:
            assert server.port == port
            assert holder.fileno() == -1, "once it answers it holds the port itself"


def test_a_server_that_was_given_a_taken_port_gets_another(
    processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        port = other.getsockname()[1]
        monkeypatch.setattr(module, "held_port", lambda _: (port, None))
        with serving(
            case(tmp_path, server='[[server]]\nkind = "waitress"\n'),
            processes=processes,
            folder=tmp_path,
            cores=None,
            python=sys.executable,
        ) as server:
            assert server.port != port


def test_an_app_of_somebody_s_own_does_not_see_that_it_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMGAUGE_RESULTS", "there")
    monkeypatch.setenv("SHOP_DB", "here")
    variables = environment_of(case(tmp_path))
    assert variables["SHOP_DB"] == "here"
    assert not [name for name in variables if name.startswith("STREAMGAUGE")]
