"""The reference server keeps its schedule and its books, and stalls when it is told to."""

from __future__ import annotations

import contextlib
import socket
import statistics
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic_ns

import numpy as np
import pytest

from harness.loading.reference import ReferenceFailed, ReferenceServer, reference
from harness.programs.processes import Processes
from results.calibration import ServerTruth
from results.errors import ExitCode
from targets.reference_server import HOST, piece_of

MS = 1_000_000


@contextlib.contextmanager
def running(*options: str) -> Iterator[ReferenceServer]:
    with (
        tempfile.TemporaryDirectory(prefix="sg-") as folder,
        Processes() as processes,
        reference(processes, Path(folder), None, options) as server,
    ):
        yield server


@pytest.fixture(scope="module")
def shared() -> Iterator[ReferenceServer]:
    with running() as server:
        yield server


@pytest.fixture
def server(shared: ReferenceServer) -> ReferenceServer:
    """One whose books are empty."""
    shared.truth()
    return shared


class Client:
    """Asks over one connection; plain sockets, none of our own client."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.port: int = connected.getsockname()[1]

    def send(self, path: str) -> None:
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: it\r\n\r\n".encode())

    def read(self) -> tuple[bytes, bytes]:
        """Head and body; the body ends with its length, or with the connection where there is none."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.socket.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        length = next((line for line in head.split(b"\r\n") if line.startswith(b"Content-Length")), None)
        while length is None or len(body) < int(length.split(b":")[1]):
            if not (piece := self.socket.recv(65536)):
                break
            body += piece
        return head, body

    def ask(self, path: str) -> tuple[bytes, bytes]:
        self.send(path)
        return self.read()


@contextlib.contextmanager
def clients(server: ReferenceServer, count: int) -> Iterator[list[Client]]:
    with contextlib.ExitStack() as stack:
        yield [
            Client(stack.enter_context(socket.create_connection((HOST, server.port), timeout=20)))
            for _ in range(count)
        ]


@pytest.fixture
def client(server: ReferenceServer) -> Iterator[Client]:
    with clients(server, 1) as (one,):
        yield one


def instants(truth: ServerTruth) -> list[int]:
    """All that the server did, in order."""
    return sorted(np.concatenate([truth.received_ns, truth.first_before_ns, truth.last_after_ns]).tolist())


def test_nothing_is_sent_before_it_is_due_and_longer_schedules_take_longer(
    server: ReferenceServer, client: Client
) -> None:
    asked = [(delay, chunks) for delay in (0, 30, 60) for chunks in (1, 4)] * 5
    for delay, chunks in asked:
        client.ask(f"/?delay_us={delay * 1000}&chunks={chunks}&pace_us=20000&bytes=100")
    truth = server.truth()
    first = truth.first_before_ns - truth.received_ns
    last = truth.last_after_ns - truth.received_ns
    due_first = np.array([delay * MS for delay, _ in asked])
    due_last = due_first + np.array([(chunks - 1) * 20 * MS for _, chunks in asked])
    assert (first >= due_first).all()
    assert (last >= due_last).all()
    assert (truth.first_after_ns <= truth.last_after_ns).all()
    # late by less than the steps between the schedules, of most
    assert statistics.median(first - due_first) < 20 * MS
    assert statistics.median(last - due_last) < 20 * MS


def test_each_is_answered_at_its_own_time_whoever_asked_first(server: ReferenceServer) -> None:
    with clients(server, 2) as (slow, quick):
        slow.send("/?delay_us=300000")
        quick.send("/?delay_us=1000&chunks=3&pace_us=1000")
        quick.read()
        slow.read()
    truth = server.truth()
    assert truth.connection.tolist() == [quick.port, slow.port]  # as they were through
    assert truth.first_before_ns[0] < truth.first_before_ns[1]


def test_the_first_byte_arrives_between_the_stamps_around_its_send(
    server: ReferenceServer, client: Client
) -> None:
    sent_ns = monotonic_ns()
    client.ask("/?delay_us=5000")
    read_ns = monotonic_ns()
    (received,), (before,), (after,) = (
        instant.tolist()
        for truth in [server.truth()]
        for instant in (truth.received_ns, truth.first_before_ns, truth.first_after_ns)
    )
    assert sent_ns < received < before < read_ns
    assert before < after


def test_the_body_is_known_and_the_head_tells_the_turn(server: ReferenceServer, client: Client) -> None:
    for turn, (chunks, size) in enumerate([(1, 1), (3, 500), (2, 3_000_000)]):
        head, body = client.ask(f"/?chunks={chunks}&bytes={size}")
        assert body == piece_of(size) * chunks
        assert f"Answers: {client.port}/{turn}".encode() in head
    truth = server.truth()
    assert truth.turn.tolist() == [0, 1, 2]
    assert set(truth.connection.tolist()) == {client.port}
    assert len(server.truth().turn) == 0  # told once


@pytest.mark.parametrize("path", ["/?bytes=0", "/?chunks=0", "/?delay_us=-1", "/?pace_us=", "/?size=3", "/x"])
def test_what_it_does_not_understand_it_says(server: ReferenceServer, client: Client, path: str) -> None:
    head, body = client.ask(path)
    assert b" 400 " in head
    assert b"delay_us" in body
    assert len(server.truth().turn) == 0


def test_a_client_that_goes_away_disturbs_nobody(server: ReferenceServer) -> None:
    with clients(server, 2) as (gone, staying):
        gone.send("/?delay_us=20000&chunks=50&pace_us=1000&bytes=100000")
        gone.socket.close()
        for _ in range(5):
            staying.ask("/?delay_us=20000")
    assert server.truth().connection.tolist() == [staying.port] * 5


def test_a_stall_holds_all_connections_once() -> None:
    after_s, for_s = 0.2, 0.6
    with running("--stall-after-s", str(after_s), "--stall-for-s", str(for_s)) as server:
        server.truth()  # is no request
        with clients(server, 3) as asking:
            until_ns = monotonic_ns() + 2_000 * MS

            def ask_on(client: Client) -> None:
                while monotonic_ns() < until_ns:
                    client.ask("/?delay_us=2000&chunks=2&pace_us=1000")

            threads = [threading.Thread(target=ask_on, args=[client]) for client in asking]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        truth = server.truth()
    did = np.array(instants(truth))
    gaps = np.diff(did)
    assert (gaps >= for_s * 1e9).sum() == 1
    end = did[int(np.argmax(gaps)) + 1]
    assert end >= did[0] + (after_s + for_s) * 1e9
    for client in asking:
        own = truth.received_ns[truth.connection == client.port]
        assert own.min() < end <= own.max()


def test_one_that_cannot_start_shows_its_own_words() -> None:
    with (
        pytest.raises(ReferenceFailed, match=r"did not start.*\n(.*\n)*.*--nonsense") as told,
        running("--nonsense"),
    ):
        pass
    assert told.value.exit_code is ExitCode.INVALID


def test_one_that_is_gone_tells_no_truth() -> None:
    with running() as server:
        server.process.kill()
        with pytest.raises(ReferenceFailed, match="does not tell what it knows"):
            server.truth()
