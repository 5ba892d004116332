"""The synthetic server's clock: every wait at least as long as asked, every stamp in order."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

import pytest

from .raw_client import RawClient
from .server import SyntheticServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .truth import RequestTruth, Write

MS = 1_000_000


@pytest.fixture(scope="module")
def running() -> Iterator[SyntheticServer]:
    with SyntheticServer() as server:
        yield server


@pytest.fixture
def server(running: SyntheticServer) -> SyntheticServer:
    running.reset()
    return running


def fetch(server: SyntheticServer, path: str, times: int = 1, method: str = "GET") -> list[RequestTruth]:
    """The truths of some requests, each found between the client's own two instants."""
    with RawClient(server) as client:
        begun_ns = time.monotonic_ns()
        for _ in range(times):
            client.ask(path, method=method)
        ended_ns = time.monotonic_ns()
    truths = server.truth()
    assert len(truths) == times
    for truth in truths:
        stamps = [truth.accepted_ns, truth.received_ns]
        for write in truth.writes:
            stamps += [write.before_ns, write.after_ns]
        assert stamps == sorted(stamps)
        assert begun_ns < truth.received_ns
        assert truth.writes[0].before_ns < ended_ns
        assert truth.outcome == "done"
    return truths


def sent(write: Write | None) -> int:
    assert write is not None
    return write.before_ns


def test_the_waits_before_headers_body_and_end(server: SyntheticServer) -> None:
    path = server.path(
        headers_after_s=0.02, body_after_s=0.03, pace_s=0.01, end_after_s=0.04, chunks=(9, 9, 9)
    )
    (truth,) = fetch(server, path)
    assert sent(truth.headers) - truth.received_ns >= 20 * MS
    assert sent(truth.first_body) - sent(truth.headers) >= 30 * MS
    assert len(truth.body) == 3
    assert all(b.before_ns - a.before_ns >= 10 * MS for a, b in itertools.pairwise(truth.body))
    assert sent(truth.end) - truth.body[-1].before_ns >= 40 * MS


def test_a_close_delimited_body_ends_with_its_fin(server: SyntheticServer) -> None:
    (truth,) = fetch(server, server.path(framing="close", end_after_s=0.02))
    assert truth.end is truth.writes[-1]
    assert truth.end.action == "fin"
    assert truth.end.before_ns - truth.body[-1].before_ns >= 20 * MS


def test_a_counted_body_ends_with_its_last_send(server: SyntheticServer) -> None:
    (truth,) = fetch(server, server.path(framing="length", chunks=(50, 50, 0)))
    assert truth.end is truth.body[-1] is truth.writes[-1]


def test_an_empty_first_yield_sends_the_headers_at_once(server: SyntheticServer) -> None:
    (truth,) = fetch(server, server.path(chunks=(0, 500), pace_s=0.03))
    assert [write.body_bytes for write in truth.writes] == [0, 500, 0]
    assert sent(truth.first_body) - sent(truth.headers) >= 30 * MS


@pytest.mark.parametrize(("framing", "instant"), [("length", "headers"), ("chunked", "message")])
def test_an_empty_body(server: SyntheticServer, framing: str, instant: str) -> None:
    (truth,) = fetch(server, f"/stream?framing={framing}&chunks=0,0")
    assert truth.first_body is truth.first_row is None
    assert truth.end is not None
    assert instant in truth.end.completes


def test_a_row_split_over_sends_is_there_with_its_last(server: SyntheticServer) -> None:
    path = server.path(quoted=True, chunks=(10,), repeat=20, pace_s=0.001)
    (truth,) = fetch(server, path)
    end = server.first_row_end(path)
    assert end is not None
    assert truth.first_row is truth.body[(end - 1) // 10]
    assert sent(truth.first_row) - sent(truth.first_body) >= (end - 1) // 10 * MS


def test_a_drip_of_single_bytes(server: SyntheticServer) -> None:
    (truth,) = fetch(server, server.path(chunks=(5,), head_segment=1, segment=1, segment_pace_s=0.001))
    *drops, _ = truth.writes
    assert {write.wire_bytes for write in drops} == {1}
    paces = [b.before_ns - a.before_ns for a, b in itertools.pairwise(drops)]
    head = sum(1 for write in drops if write.before_ns <= sent(truth.headers))
    paces.pop(head - 1)  # headers to body: another wait, which was not asked for
    assert min(paces) >= MS


@pytest.mark.parametrize("chunk", [None, 2])
def test_a_stall_lasts(server: SyntheticServer, chunk: int | None) -> None:
    path = server.path(chunks=(50,), repeat=4, stall_s=0.05, stall_at=2, stall_chunk=chunk)
    truth = fetch(server, path, times=2)[1]
    stamps = [truth.received_ns, *(write.before_ns for write in truth.writes)]
    gaps = [b - a for a, b in itertools.pairwise(stamps)]
    assert gaps[0 if chunk is None else 3] >= 50 * MS, "from receipt, headers, chunk, chunk on"


@pytest.mark.parametrize("chunk", [None, 2])
def test_no_other_request_stalls(server: SyntheticServer, chunk: int | None) -> None:
    path = server.path(chunks=(50,), repeat=4, stall_s=600, stall_at=2, stall_chunk=chunk)
    with RawClient(server) as client, RawClient(server) as stalled:
        assert client.ask(path).complete
        stalled.send(path)
        while server.counts().requests < 2:
            time.sleep(0.001)
        assert client.ask(path).complete
        first, second, third = server.truth(settle_s=0.05)
    assert [truth.outcome for truth in (first, second, third)] == ["done", "open", "done"]
    assert len(second.body) == (0 if chunk is None else 2)
    assert first.body_bytes == third.body_bytes == 200


def test_interim_responses_come_before_the_wait(server: SyntheticServer) -> None:
    (truth,) = fetch(server, server.path(interim=(103,), headers_after_s=0.03))
    interim, headers = truth.writes[:2]
    assert interim.completes == ("interim",)
    assert headers.before_ns - interim.before_ns >= 30 * MS


def test_a_bodiless_message_ends_with_its_headers(server: SyntheticServer) -> None:
    (truth,) = fetch(server, server.path(framing="length"), method="HEAD")
    assert truth.end is truth.headers
    assert truth.first_body is None
