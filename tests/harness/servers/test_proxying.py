"""A real nginx in front of a real gunicorn, whose app keeps a schedule that is known."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.conduct import verify
from harness.programs.cores import Cores
from harness.programs.ports import HOST, free_port
from harness.servers import proxying
from harness.servers.proxying import ProxyFailed, check_proxies, find_program, installed_version, proxied
from harness.servers.serving import RunningServer, serving
from harness.suites.file import parse_suite
from harness.suites.matrix import PlannedCase, cases_of
from harness.trials.workshop import Workshop, workshop
from results.errors import UsageError
from targets.proxies import nginx
from tests.harness.examples import Untold
from tests.programs import need

PIECES, GAP_S = 8, 0.04
#: From the first piece of the paced app to its last one.
SCHEDULE_S = (PIECES - 1) * GAP_S

ECHO = """
def app(environ, start_response):
    keys = [key for key in sorted(environ) if key.startswith(("HTTP_", "SERVER_P"))]
    body = "\\n".join(f"{key}: {environ[key]}" for key in keys)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body.encode()]
"""


@pytest.fixture(scope="module")
def shop() -> Iterator[Workshop]:
    need("nginx")
    with workshop(Cores()) as made:
        yield made


def case_of(proxy: str, piece_bytes: int = 100) -> PlannedCase:
    path = f"/?pieces={PIECES}&bytes={piece_bytes}&gap_ms={GAP_S * 1000:g}"
    text = f"""name = "proxied"
    [[target]]
    name = "paced"
    app = "targets.paced:app"
    baseline = "{path}"
    stream = "{path}"
    [[server]]
    kind = "gunicorn"
    [[proxy]]
    {proxy}
    [[scenario]]
    kind = "download"
    """
    return cases_of(parse_suite(text, "proxied.toml", None))[1]


@contextlib.contextmanager
def served(shop: Workshop, planned: PlannedCase) -> Iterator[RunningServer]:
    with serving(
        planned, processes=shop.processes, folder=shop.folder, cores=None, python=shop.python
    ) as server:
        yield server


def span_s(port: int, path: str) -> float:
    """From the first byte of the body that arrives to the last."""
    connection = http.client.HTTPConnection(HOST, port, timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.status == 200
        response.read(1)
        began = time.monotonic()
        response.read()
        return time.monotonic() - began


@pytest.mark.parametrize(
    ("proxy", "streams"),
    [
        ('kind = "none"', True),
        ('kind = "nginx"', False),
        ('kind = "nginx"\nbuffering = false', True),
        ('kind = "nginx"\nbuffering = false\nhttp_version = "1.1"', True),
        # nginx passes each chunk of the server on: it is a buffer of its own
        ('kind = "nginx"\nhttp_version = "1.1"', True),
    ],
)
def test_what_nginx_does_to_small_pieces(shop: Workshop, proxy: str, *, streams: bool) -> None:
    planned = case_of(proxy)
    with served(shop, planned) as server:
        taken = span_s(server.port, planned.path)
    assert (taken > SCHEDULE_S / 2) is streams


def test_a_small_buffer_is_full_sooner(shop: Workshop) -> None:
    planned = case_of('kind = "nginx"\nbuffer_bytes = 1024', piece_bytes=512)
    with served(shop, planned) as server:
        assert span_s(server.port, planned.path) > SCHEDULE_S / 2


def test_the_proxy_is_no_part_of_the_server_and_leaves_nothing(shop: Workshop) -> None:
    before = set(shop.folder.iterdir())
    with served(shop, case_of('kind = "nginx"')) as server:
        assert server.pid is not None
        assert server.proxy is not None
        tree = psutil.Process(server.pid).children(recursive=True)
        ours = psutil.Process(server.proxy.process.pid)
        proxies = [ours, *ours.children()]
        assert len(proxies) == 2  # a master and one worker
        assert not {process.pid for process in proxies} & {server.pid, *(process.pid for process in tree)}
        assert server.proxy.version == installed_version("nginx") is not None
    assert not any(process.is_running() for process in proxies)
    assert {path for path in shop.folder.iterdir() if path.is_dir()} == {p for p in before if p.is_dir()}


def test_the_headers_of_a_suite_arrive_and_so_does_the_host(shop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "echo_app.py").write_text(ECHO)
    text = """name = "echo"
    [[target]]
    name = "echo"
    app = "echo_app:app"
    directory = "."
    baseline = "/"
    stream = "/"
    [[server]]
    kind = "gunicorn"
    [[proxy]]
    kind = "nginx"
    http_version = ["1.0", "1.1"]
    [[scenario]]
    kind = "download"
    """
    suite = parse_suite(text, "echo.toml", tmp_path)
    for planned in [planned for planned in cases_of(suite) if planned.case.baseline]:
        with served(shop, planned) as server:
            connection = http.client.HTTPConnection(HOST, server.port, timeout=20)
            with contextlib.closing(connection):
                connection.request("GET", "/", headers={"Host": "shop.example:81", "X-Tenant": "7"})
                answer = connection.getresponse().read().decode()
        assert "HTTP_HOST: shop.example:81\n" in answer
        assert "HTTP_X_TENANT: 7\n" in answer
        assert f"SERVER_PROTOCOL: HTTP/{planned.proxy_options['http_version']}" in answer


def test_it_stands_before_a_server_that_runs_already(shop: Workshop) -> None:
    with served(shop, case_of('kind = "none"')) as there:
        text = f"""name = "there"
        [[target]]
        name = "there"
        url = "http://127.0.0.1:{there.port}"
        pid = {there.pid}
        ready = "/?pieces=1&bytes=64&gap_ms=0"
        baseline = "/?pieces=2&bytes=64&gap_ms=0"
        stream = "/?pieces=2&bytes=64&gap_ms=1"
        [[proxy]]
        kind = "nginx"
        [[scenario]]
        kind = "download"
        """
        cases = {
            planned.case.identity: planned for planned in cases_of(parse_suite(text, "there.toml", None))
        }
        assert {found.body_bytes for found in verify(cases, shop, Untold()).values()} == {128}
        for planned in cases.values():
            with served(shop, planned) as server:
                assert (server.process, server.pid) == (None, there.pid)
                assert server.port != there.port


UNBUFFERED = """
import time

def app(environ, start_response):
    header = [("X-Accel-Buffering", "no")] if environ["PATH_INFO"] == "/" else []
    start_response("200 OK", [("Content-Type", "text/plain"), *header])
    return paced()

def paced():
    for number in range({pieces}):
        time.sleep({gap_s} if number else 0)
        yield b"piece"
"""


def test_an_app_may_switch_buffering_off_by_itself(shop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "unbuffered_app.py").write_text(UNBUFFERED.format(pieces=PIECES, gap_s=GAP_S))
    text = """name = "unbuffered"
    [[target]]
    name = "unbuffered"
    app = "unbuffered_app:app"
    directory = "."
    baseline = "/"
    stream = "/buffered"
    [[server]]
    kind = "gunicorn"
    [[proxy]]
    kind = "nginx"
    [[scenario]]
    kind = "download"
    """
    with served(shop, cases_of(parse_suite(text, "unbuffered.toml", tmp_path))[1]) as server:
        assert span_s(server.port, "/") > SCHEDULE_S / 2
        assert span_s(server.port, "/buffered") < SCHEDULE_S / 2


BROKEN = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/":
        yield b"whole"
        return
    yield b"half"
    raise OSError("on purpose")
"""


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_stream_that_is_cut_off_looks_complete_over_http_1_0(
    shop: Workshop, tmp_path: Path, version: str
) -> None:
    (tmp_path / "broken_app.py").write_text(BROKEN)
    text = f"""name = "broken"
    [[target]]
    name = "broken"
    app = "broken_app:app"
    directory = "."
    baseline = "/"
    stream = "/broken"
    [[server]]
    kind = "gunicorn"
    [[proxy]]
    kind = "nginx"
    http_version = "{version}"
    [[scenario]]
    kind = "download"
    """
    with served(shop, cases_of(parse_suite(text, "broken.toml", tmp_path))[1]) as server:
        connection = http.client.HTTPConnection(HOST, server.port, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", "/broken")
            response = connection.getresponse()
            if version == "1.0":
                assert response.read() == b"half"
            else:
                with pytest.raises(http.client.IncompleteRead):
                    response.read()


def test_a_port_that_somebody_took_meanwhile_is_left_to_him(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server((HOST, 0)) as somebody:
        ports = iter([somebody.getsockname()[1], free_port()])
        monkeypatch.setattr(proxying, "free_port", lambda _: next(ports))
        with proxied(
            "nginx", {}, free_port(), processes=shop.processes, folder=shop.folder, cores=None
        ) as proxy:
            assert proxy.port != somebody.getsockname()[1]


def test_a_proxy_that_does_not_start_is_told_with_its_own_words(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nginx, "_CONFIGURATION", "daemon off; no_such_directive;")
    with (
        pytest.raises(ProxyFailed, match='unknown directive "no_such_directive"'),
        proxied("nginx", {}, 1, processes=shop.processes, folder=shop.folder, cores=None),
    ):
        pass


def test_without_its_program_it_is_refused_with_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(proxying, "_SYSTEM_FOLDERS", ())
    check_proxies([])
    assert installed_version("nginx") is None
    with pytest.raises(UsageError, match="apt-get install nginx"):
        check_proxies(["nginx"])


def test_a_program_is_found_where_an_ordinary_path_does_not_lead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "nginx"
    program.write_text("#!/bin/sh\necho nginx version: nginx/9.9.9 >&2\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setattr(proxying, "_SYSTEM_FOLDERS", (str(tmp_path),))
    assert find_program("nginx") == program
    assert installed_version("nginx") == "9.9.9"


def test_a_server_that_is_gone_behind_its_proxy_is_a_502(shop: Workshop) -> None:
    with proxied("nginx", {}, free_port(), processes=shop.processes, folder=shop.folder, cores=None) as proxy:
        connection = http.client.HTTPConnection(HOST, proxy.port, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", "/")
            assert connection.getresponse().status == 502
        assert "Connection refused" in proxy.output()


def test_one_that_ends_while_it_is_asked_is_named(shop: Workshop) -> None:
    with served(shop, case_of('kind = "nginx"')) as server:
        assert server.fallen() is None
        assert server.proxy is not None
        os.kill(server.proxy.process.pid, signal.SIGKILL)
        server.proxy.process.wait(5)
        assert server.fallen() == "the proxy nginx ended meanwhile (code -9)"


def test_large_headers_pass_and_gzip_asks_the_app_for_no_other_encoding(
    shop: Workshop, tmp_path: Path
) -> None:
    (tmp_path / "echoing.py").write_text(ECHO)
    text = """name = "echo"
    [[target]]
    name = "echo"
    app = "echoing:app"
    directory = "."
    baseline = "/"
    stream = "/"
    [[server]]
    kind = "waitress"
    [[proxy]]
    kind = "nginx"
    gzip = [true, false]
    [[scenario]]
    kind = "download"
    """
    suite = parse_suite(text, "echo.toml", tmp_path)
    for planned in [planned for planned in cases_of(suite) if planned.case.baseline]:
        with served(shop, planned) as server:
            connection = http.client.HTTPConnection(HOST, server.port, timeout=20)
            with contextlib.closing(connection):
                connection.request("GET", "/", headers={"X-Long": "x" * 20_000, "Accept-Encoding": "br"})
                response = connection.getresponse()
                answer = response.read().decode()
        assert response.status == 200
        assert "HTTP_X_LONG: " + "x" * 20_000 in answer
        assert ("HTTP_ACCEPT_ENCODING: br" in answer) == (not planned.proxy_options["gzip"])
