"""An open loop through the real driver process, held against its schedule and the server's own books."""

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
from scenarios.schedule import Spacing, offsets_ns
from scenarios.specification import Address, Arrivals, TrialSpecification
from tests.synthetic import SyntheticServer

WARMUP_S, WINDOW_S = 0.1, 0.8


@pytest.fixture(scope="module")
def server() -> Iterator[SyntheticServer]:
    with SyntheticServer() as running:
        yield running


def specification(
    server: SyntheticServer,
    path: str,
    rate: float,
    spacing: Spacing = "constant",
    *,
    most_in_flight: int = 1000,
    keep_alive: bool = True,
    timeout_s: float = 10,
) -> TrialSpecification:
    body = server.body(path)
    return TrialSpecification(
        address=Address(server.host, server.port, "GET", path, (), timeout_s, keep_alive),
        name="synthetic",
        load=Arrivals(rate, spacing, most_in_flight),
        warmup_s=WARMUP_S,
        window_s=WINDOW_S,
        status=200,
        body_bytes=len(body),
        digest=xxhash.xxh3_64_intdigest(body),
        schedule_seed="11/0",
    )


def column(load: LoadRecord, name: str) -> list[int]:
    return [int(value) for value in load.requests[:, COLUMN[name]]]


def outcomes(load: LoadRecord) -> Counter[Outcome]:
    return Counter(Outcome(value) for value in column(load, "outcome"))


def scheduled(load: LoadRecord, rate: float, spacing: Spacing) -> list[int]:
    begun_ns = load.window_open_ns - round(WARMUP_S * 1e9)
    return [begun_ns + offset for offset in offsets_ns(spacing, rate, WARMUP_S + WINDOW_S, "11/0")]


@pytest.mark.parametrize("spacing", ["constant", "poisson"])
@pytest.mark.parametrize("keep_alive", [True, False])
def test_each_instant_of_the_schedule_has_its_request_on_both_sides(
    driver: LoadDriver, server: SyntheticServer, spacing: Spacing, *, keep_alive: bool
) -> None:
    server.reset()
    asked = specification(server, server.path(chunks=(3000,)), 100, spacing, keep_alive=keep_alive)
    load = driver.run(asked)
    truth = server.truth()
    assert sorted(column(load, "intended_ns")) == scheduled(load, 100, spacing)
    assert len(load.requests) == len(truth) == server.counts().requests > 50
    assert outcomes(load) == {Outcome.VERIFIED: len(truth)}
    assert sum(column(load, "body_bytes")) == sum(request.body_bytes for request in truth)
    connections = server.counts().connections
    assert len(set(column(load, "connection"))) == connections
    # the connection that was used last is used again: a fast server needs few
    assert connections < len(truth) / 2 if keep_alive else connections == len(truth)


def test_a_request_is_sent_after_its_instant_and_its_lateness_told(
    driver: LoadDriver, server: SyntheticServer
) -> None:
    server.reset()
    load = driver.run(specification(server, server.path(), 200))
    assert min(column(load, "late_ns")) >= 0
    late, sent = column(load, "late_ns"), column(load, "sent_ns")
    for intended, after, at in zip(column(load, "intended_ns"), late, sent, strict=True):
        assert intended + after <= at
    received = sorted(request.received_ns for request in server.truth())
    assert all(at <= read for at, read in zip(sorted(sent), received, strict=True))
    assert max(column(load, "intended_ns")) < load.window_close_ns
    assert max(column(load, "last_ns")) <= load.drained_ns


def test_requests_go_out_though_earlier_ones_are_not_answered_yet(
    driver: LoadDriver, server: SyntheticServer
) -> None:
    server.reset()
    load = driver.run(specification(server, server.path(body_after_s=0.4), 50))
    truth = server.truth()
    ends = [request.end.before_ns for request in truth if request.end]
    assert len(ends) == len(load.requests) == 45
    at_once = [
        sum(other.received_ns <= request.received_ns < end for other, end in zip(truth, ends, strict=True))
        for request in truth
    ]
    assert max(at_once) >= 10  # 20 by the schedule
    assert outcomes(load) == {Outcome.VERIFIED: 45}
    assert server.counts().connections == len(set(column(load, "user"))) >= max(at_once)


def test_a_start_that_waits_for_a_connection_is_late_and_never_dropped(
    driver: LoadDriver, server: SyntheticServer
) -> None:
    server.reset()
    load = driver.run(specification(server, server.path(body_after_s=0.1), 50, most_in_flight=2))
    assert sorted(column(load, "intended_ns")) == scheduled(load, 50, "constant")
    assert outcomes(load) == {Outcome.VERIFIED: 45}
    assert server.counts().requests == 45
    assert server.counts().connections == 2
    # two connections answer 45 requests in 2.25 s at best, and they come within 0.9 s
    assert max(column(load, "late_ns")) > 1e9
    (reason,) = [item.text for item in broken_rules(load, None) if "late" in item.text]
    assert "most_in_flight greater" in reason
    figures = figures_of_trial(load, None)
    assert figures["ttfb_p50"] is not None
    assert figures["ttfb_effective_p50"] is not None
    assert figures["ttfb_effective_p50"] > 3 * figures["ttfb_p50"]


def test_a_start_that_waits_longer_than_a_response_may_take_is_a_failure_and_recorded(
    driver: LoadDriver, server: SyntheticServer
) -> None:
    server.reset()
    silent = specification(server, server.path(silent=True), 20, most_in_flight=1, timeout_s=0.25)
    load = driver.run(silent)
    assert sorted(column(load, "intended_ns")) == scheduled(load, 20, "constant")
    assert outcomes(load) == {Outcome.TIMED_OUT: len(load.requests)}
    sent = [instant for instant in column(load, "sent_ns") if instant != MISSING]
    assert len(sent) == server.counts().requests
    assert 0 < len(sent) < len(load.requests)
    waited = load.errors["none of 1 connections was free for 0.25 s"]
    assert waited == len(load.requests) - len(sent)
    server.reset()
    assert set(outcomes(driver.run(specification(server, server.path(), 20)))) == {Outcome.VERIFIED}


def test_a_dead_server_is_asked_once_for_each_instant(driver: LoadDriver) -> None:
    with SyntheticServer() as gone:
        asked = specification(gone, gone.path(), 20)
    load = driver.run(asked)
    assert outcomes(load) == {Outcome.CONNECT_FAILED: 18}


def test_a_schedule_of_nothing_ends(driver: LoadDriver, server: SyntheticServer) -> None:
    load = driver.run(replace(specification(server, server.path(), 0.01), window_s=0.1))
    assert len(load.requests) == 0
