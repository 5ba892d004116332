"""How the synthetic server's responses go wrong, and how its connections and its process end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .raw_client import RawClient
from .server import SyntheticServer, SyntheticServerError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def running() -> Iterator[SyntheticServer]:
    with SyntheticServer(send_buffer=65536) as server:
        yield server


@pytest.fixture
def server(running: SyntheticServer) -> SyntheticServer:
    running.reset()
    return running


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
@pytest.mark.parametrize("cut_at", [0, 1, 100, 150, 299])
def test_a_body_cut_off_ends_there(server: SyntheticServer, framing: str, cut_at: int, reset: bool) -> None:
    path = f"/stream?framing={framing}&chunks=100,200&cut_at={cut_at}&reset={reset}"
    with RawClient(server) as client:
        answer = client.ask(path)
        assert client.rest() == b""
        assert client.ending == ("reset" if reset else "fin")
    assert answer.body == server.body(path)[:cut_at]
    assert answer.complete is (framing == "close" and not reset), "there nothing tells a cut from an end"
    (truth,) = server.truth()
    assert (truth.body_bytes, truth.end, truth.outcome) == (cut_at, None, "done")
    assert truth.writes[-1].action == ("reset" if reset else "fin")


def test_a_last_chunk_without_its_newline(server: SyntheticServer) -> None:
    path = server.path(cut_at=300, chunks=(100, 200))
    with RawClient(server) as client:
        answer = client.ask(path)
    assert (answer.body, answer.complete) == (server.body(path), False)


def test_a_missing_terminating_chunk(server: SyntheticServer) -> None:
    path = server.path(unterminated=True, chunks=(100, 200))
    with RawClient(server) as client:
        answer = client.ask(path)
        assert (answer.complete, answer.ending) == (False, "fin")
    assert answer.body == server.body(path)
    assert server.truth()[0].end is None


@pytest.mark.parametrize("framing", ["chunked", "length"])
@pytest.mark.parametrize("later", [0, 0.01])
def test_more_bytes_than_declared(server: SyntheticServer, framing: str, later: float) -> None:
    path = f"/stream?framing={framing}&surplus=20&surplus_after_s={later}&keep_alive=False"
    with RawClient(server) as client:
        answer = client.ask(path)
        assert answer.complete
        assert answer.body == server.body(path)
        assert client.rest() == b"surplus!surplus!surp"
    (truth,) = server.truth()
    assert truth.end is not None
    assert truth.body_bytes == 4096
    assert (truth.end is truth.writes[-2]) is (later == 0), "before the FIN, or before the surplus"


def test_a_reset_after_a_whole_response(server: SyntheticServer) -> None:
    with RawClient(server) as client:
        assert client.ask(server.path(reset=True)).complete
        assert client.rest() == b""
        assert client.ending == "reset"


def test_a_kept_alive_connection_closes_although_promised(server: SyntheticServer) -> None:
    with RawClient(server) as client:
        answer = client.ask(server.path(stale="idle"))
        assert (answer.complete, answer.fields["connection"]) == (True, "keep-alive")
        assert client.rest() == b""
    with RawClient(server) as client:
        assert client.ask(server.path(stale="next")).complete
        client.send(server.path(name="lost"))
        assert client.rest() == b""
    assert [truth.outcome for truth in server.truth()] == ["done", "done", "dropped"]
    assert server.truth()[2].writes == ()


def test_silence_lasts_until_the_client_goes(server: SyntheticServer) -> None:
    with RawClient(server) as client:
        client.send(server.path(silent=True))
        while not (truths := server.truth()):
            time.sleep(0.001)
        assert (truths[0].outcome, truths[0].writes) == ("silent", ())


def test_a_client_that_hangs_up_is_noticed(server: SyntheticServer) -> None:
    with RawClient(server) as client:
        client.send(server.path(chunks=(1000,), repeat=1000, pace_s=0.002))
        assert client.more()
    (truth,) = server.truth(settle_s=5)
    assert truth.outcome == "client-gone"
    assert truth.end is None
    assert 0 < truth.body_bytes < 1_000_000


def test_a_request_under_way_is_open(server: SyntheticServer) -> None:
    with RawClient(server) as client:
        client.send(server.path(body_after_s=30))
        assert client.more()
        (truth,) = server.truth(settle_s=0.05)
        assert truth.outcome == "open"
        assert truth.headers is not None
        assert truth.body == ()


def test_a_slow_reader_holds_the_send_back(server: SyntheticServer) -> None:
    path = server.path(chunks=(32_000_000,), framing="length")
    with RawClient(server) as client:
        client.send(path)
        assert client.more()
        time.sleep(0.2)
        asleep_until = time.monotonic_ns()
        assert client.receive().body == server.body(path)
    (truth,) = server.truth()
    assert truth.first_body is not None
    assert truth.first_body.before_ns < asleep_until < truth.first_body.after_ns


def test_many_connections_at_once(server: SyntheticServer) -> None:
    path = server.path(chunks=(100,), repeat=10, pace_s=0.005)
    bodies = []

    def fetch() -> None:
        with RawClient(server) as client:
            bodies.append(client.ask(path).body)

    threads = [threading.Thread(target=fetch) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bodies == [server.body(path)] * 40
    truths = server.truth()
    assert sorted(truth.number for truth in truths) == list(range(1, 41))
    assert {truth.turn for truth in truths} == {0}


def test_the_server_ends_with_its_block() -> None:
    with SyntheticServer() as server:
        pid = server.pid
        with RawClient(server) as client:
            client.send(server.path(silent=True))
            assert server.truth() is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(SyntheticServerError, match="inside of its `with` block"):
        server.truth()


def test_a_failure_inside_the_server_reaches_the_test() -> None:
    def talk_nonsense() -> None:
        with SyntheticServer() as server, RawClient(server) as client:
            client.send_raw(b"nonsense\r\n\r\n")
            assert client.rest() == b""

    with pytest.raises(SyntheticServerError, match="no HTTP request: 'nonsense'"):
        talk_nonsense()


def test_the_server_ends_when_the_test_process_is_killed() -> None:
    program = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "import importlib; package = importlib.import_module(sys.argv[2])\n"
        "with package.SyntheticServer() as server:\n"
        "    print(server.pid, flush=True); time.sleep(60)\n"
    )
    here = Path(__file__).parent
    arguments = [sys.executable, "-c", program, str(here.parent), here.name]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.send_signal(signal.SIGKILL)
    with suppress(ProcessLookupError):
        while not _is_zombie(pid):  # a container's init may not reap it
            os.kill(pid, 0)
            time.sleep(0.005)


def _is_zombie(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"
