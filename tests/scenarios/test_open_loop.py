"""A server that stalls for a second: a closed loop hides it, an open one does not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import xxhash

from analysis.trial.figures import figures_of_trial, inside_window
from harness.loading.load import LoadDriver
from harness.trials.validity import broken_rules
from results.records import COLUMN, LoadRecord, Outcome, RequestArray
from scenarios.specification import Address, Arrivals, Download, Load, TrialSpecification
from tests.synthetic.stalling import StallingServer, StallTruth

STALL_S = 1.0
RATE = 100


@pytest.fixture(scope="module")
def server() -> Iterator[StallingServer]:
    with StallingServer() as running:
        yield running


def stalled(driver: LoadDriver, server: StallingServer, load: Load) -> tuple[LoadRecord, StallTruth]:
    """A trial with one stall in the middle of its window of 2.5 s."""
    server.stall(after_s=0.7, for_s=STALL_S)
    record = driver.run(
        TrialSpecification(
            address=Address(server.host, server.port, "GET", "/", (), timeout_s=10, keep_alive=True),
            name="stalling",
            load=load,
            warmup_s=0.2,
            window_s=2.5,
            status=200,
            body_bytes=len(server.body),
            digest=xxhash.xxh3_64_intdigest(server.body),
        )
    )
    truth = server.truth()
    assert (record.requests[:, COLUMN["outcome"]] == Outcome.VERIFIED).all()
    assert len(record.requests) == len(truth.read_ns)
    assert record.window_open_ns < truth.begin_ns < truth.end_ns < record.window_close_ns
    return record, truth


def figure(record: LoadRecord, name: str) -> float:
    value = figures_of_trial(record, None)[name]
    assert value is not None
    return value


def during(record: LoadRecord, truth: StallTruth, instant: str) -> RequestArray:
    """The requests with this instant in the stall, but for its last tenth: little is left to wait for."""
    at = record.requests[:, COLUMN[instant]]
    begin, end = truth.begin_ns, truth.end_ns - (truth.end_ns - truth.begin_ns) // 10
    hit: RequestArray = record.requests[(at >= begin) & (at < end)]
    return hit


def test_a_closed_loop_hides_the_stall(driver: LoadDriver, server: StallingServer) -> None:
    record, truth = stalled(driver, server, Download(1))
    assert len(during(record, truth, "sent_ns")) <= 1
    assert figure(record, "ttfb_p95") < STALL_S * 1e9 / 10
    ttfb = record.requests[:, COLUMN["first_body_ns"]] - record.requests[:, COLUMN["sent_ns"]]
    assert ttfb.max() > 0.9 * STALL_S * 1e9  # it was there: one request saw it


def test_an_open_loop_shows_each_request_what_remained_of_the_stall(
    driver: LoadDriver, server: StallingServer
) -> None:
    record, truth = stalled(driver, server, Arrivals(RATE, "constant", 1000))
    hit = during(record, truth, "intended_ns")
    assert len(hit) == pytest.approx(0.9 * STALL_S * RATE, abs=2)
    remained = truth.end_ns - hit[:, COLUMN["intended_ns"]]
    waited = hit[:, COLUMN["first_body_ns"]] - hit[:, COLUMN["intended_ns"]]
    assert (waited > 0.999 * remained).all()
    assert np.median(waited / remained) < 1.1
    # a stall of 1 s in 2.5 s: two in five requests came in it, and the worst eighth of those is the p95
    assert figure(record, "ttfb_effective_p95") > 0.7 * STALL_S * 1e9
    assert figure(record, "ttfb_effective_p50") < STALL_S * 1e9 / 10


def test_time_from_sent_alone_hides_it_again_when_requests_wait_for_a_connection(
    driver: LoadDriver, server: StallingServer
) -> None:
    """Which is why latency is taken from the intended instant, and the trial does not count."""
    record, truth = stalled(driver, server, Arrivals(RATE, "constant", 1))
    assert len(during(record, truth, "sent_ns")) <= 1
    assert figure(record, "ttfb_p95") < STALL_S * 1e9 / 10
    assert figure(record, "ttfb_effective_p95") > 0.7 * STALL_S * 1e9
    (reason,) = [item.text for item in broken_rules(record, None) if "late" in item.text]
    requests = record.requests[inside_window(record)]
    late = (requests[:, COLUMN["late_ns"]] > 1_000_000).sum()
    assert reason.startswith(f"{late} of {len(requests)} scheduled requests began more than 1 ms late")
