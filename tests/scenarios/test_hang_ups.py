"""Clients that hang up, through the real driver, held against the server's own books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
import xxhash

from analysis.trial.figures import figures_of_trial
from harness.loading.load import LoadDriver
from harness.trials.validity import broken_rules
from results.records import COLUMN, MISSING, LoadRecord, Outcome
from scenarios.specification import Address, HangUp, Leaving, TraceSpecification, TrialSpecification
from tests.synthetic import SyntheticServer

AFTER_BYTES = 6_000


@pytest.fixture(scope="module")
def server() -> Iterator[SyntheticServer]:
    with SyntheticServer(send_buffer=4096) as running:
        yield running


def long_path(server: SyntheticServer, **reply: object) -> str:
    """20 pieces of 2,000 bytes, 5 ms apart."""
    return server.path(**{"chunks": (2000,), "repeat": 20, "pace_s": 0.005} | reply)  # type: ignore[arg-type]


def hanging_up(server: SyntheticServer, path: str, small: str, **changes: object) -> TrialSpecification:
    body = server.content(path)
    where = Address(server.host, server.port, "GET", path, (), timeout_s=10, keep_alive=True)
    given = TrialSpecification(
        address=where,
        name="synthetic",
        load=HangUp(1, 0.15, 0.3),
        warmup_s=0.05,
        window_s=0.5,
        status=200,
        body_bytes=len(body),
        digest=xxhash.xxh3_64_intdigest(body),
        leaving=Leaving(AFTER_BYTES, xxhash.xxh3_64_intdigest(body[:AFTER_BYTES])),
        small=replace(where, path=small, keep_alive=False),
    )
    return replace(given, **changes)  # type: ignore[arg-type]


def outcomes(load: LoadRecord) -> Counter[Outcome]:
    return Counter(Outcome(value) for value in load.requests[:, COLUMN["outcome"]])


@pytest.mark.parametrize("reply", [{}, {"framing": "length"}, {"gzip": True}])
def test_who_hangs_up_reads_so_much_is_gone_for_the_server_and_asks_next(
    driver: LoadDriver, server: SyntheticServer, reply: dict[str, object]
) -> None:
    server.reset()
    path, small = long_path(server, **reply), server.path(name="small", chunks=(10,))
    load = driver.run(hanging_up(server, path, small))
    assert set(outcomes(load)) == {Outcome.HUNG_UP}
    read = load.requests[:, COLUMN["body_bytes"]]
    assert ((read >= AFTER_BYTES) & (read < AFTER_BYTES + 4096)).all()
    truth = server.truth()
    left = [request for request in truth if request.path == path]
    asked = [request for request in truth if request.path == small]
    assert len(left) == len(load.requests)
    assert {request.outcome for request in left} == {"client-gone"}
    assert {request.turn for request in truth} == {0}
    assert load.follow_ups is not None
    assert len(load.follow_ups) == len(asked) == len(left)
    for request, (left_ns, answered_ns, _), gone in zip(asked, load.follow_ups, left, strict=True):
        assert request.end is not None
        assert gone.received_ns < left_ns < request.received_ns < request.end.after_ns
        assert answered_ns > request.received_ns
    assert (load.requests[:, COLUMN["last_ns"]] == load.follow_ups[:, 0]).all()


def test_it_counts_and_has_the_figures_that_make_sense(driver: LoadDriver, server: SyntheticServer) -> None:
    server.reset()
    path, small = long_path(server), server.path(name="small", chunks=(10,), body_after_s=0.02)
    load = driver.run(hanging_up(server, path, small))
    told = [item.text for item in broken_rules(load, None)]
    assert not [reason for reason in told if "responses failed" in reason]
    figures = figures_of_trial(load, None)
    assert figures["unserved"] == 0
    assert (figures["served_after_p50"] or 0) >= 20e6
    assert figures["ttfb_p50"] is not None
    without = ("throughput", "requests_per_second", "ttlb_p50", "stall_max_p50", "cpu_per_mb")
    assert {figures[name] for name in without} == {None}


def test_a_small_request_without_an_answer_is_told_as_one(
    driver: LoadDriver, server: SyntheticServer
) -> None:
    path, silent = long_path(server), server.path(name="small", silent=True)
    # a user waits 0.3 s for each answer: the window is long enough for several hang-ups on a busy machine too
    load = driver.run(hanging_up(server, path, silent, window_s=1.5))
    assert set(outcomes(load)) == {Outcome.HUNG_UP}
    assert load.follow_ups is not None
    assert (load.follow_ups[:, 1] == MISSING).all()
    figures = figures_of_trial(load, None)
    assert (figures["unserved"], figures["served_after_p50"]) == (1.0, None)
    failing = server.path(name="small", status=503)
    assert figures_of_trial(driver.run(hanging_up(server, path, failing)), None)["unserved"] == 1.0


@pytest.mark.parametrize(
    ("reply", "outcome", "said"),
    [
        ({"cut_at": 3_000}, Outcome.TRUNCATED, "after 3,000 bytes"),
        ({"status": 500}, Outcome.WRONG_STATUS, "status 500 instead of 200"),
        ({"seed": 2}, Outcome.WRONG_BYTES, "its first 6,000 bytes are not the ones"),
        ({"repeat": 2}, Outcome.WRONG_LENGTH, "4,000 bytes of body instead of 40,000"),
    ],
)
def test_what_ends_or_differs_before_it_could_be_hung_up_is_a_failure(
    driver: LoadDriver, server: SyntheticServer, reply: dict[str, object], outcome: Outcome, said: str
) -> None:
    expected = hanging_up(server, long_path(server), server.path(name="small"))
    other = replace(expected, address=replace(expected.address, path=long_path(server, **reply)))
    load = driver.run(replace(other, window_s=0.2))
    assert set(outcomes(load)) == {outcome}, load.errors
    assert any(said in text for text in load.errors), load.errors
    assert any("responses failed" in reason for reason in [item.text for item in broken_rules(load, None)])
    assert not len(load.follow_ups if load.follow_ups is not None else ())


def test_what_comes_with_its_end_in_one_read_cannot_be_hung_up(
    driver: LoadDriver, server: SyntheticServer
) -> None:
    path = long_path(server, chunks=(AFTER_BYTES,), repeat=1, join_head=True, join_end=True)
    load = driver.run(hanging_up(server, path, server.path(name="small"), window_s=0.2))
    assert set(outcomes(load)) == {Outcome.NOT_HUNG_UP}, load.errors
    assert any("ask for a longer response" in text for text in load.errors)


def test_a_page_that_changes_may_be_hung_up_by_its_length(
    driver: LoadDriver, server: SyntheticServer
) -> None:
    given = hanging_up(server, long_path(server, seed=2), server.path(name="small"))
    relaxed = replace(given, leaving=Leaving(AFTER_BYTES, None), digest=None, window_s=0.2)
    assert set(outcomes(driver.run(relaxed))) == {Outcome.HUNG_UP}


def test_traced_requests_hang_up_too_and_keep_their_reads(
    driver: LoadDriver, server: SyntheticServer
) -> None:
    server.reset()
    given = hanging_up(server, long_path(server), server.path(name="small"))
    load = driver.trace(
        TraceSpecification(
            given.address,
            requests=2,
            longest_s=1.0,
            status=200,
            body_bytes=given.body_bytes,
            digest=given.digest,
            leaving=given.leaving,
        )
    )
    assert (load.failure, len(load.requests)) == (None, 3)
    assert {int(value) for value in load.requests[:, COLUMN["outcome"]]} == {Outcome.HUNG_UP}
    for request, reads in zip(load.requests, load.reads, strict=True):
        assert reads[-1, 1] == request[COLUMN["body_bytes"]] >= AFTER_BYTES
    assert {request.outcome for request in server.truth()} == {"client-gone"}
