"""Whole trials through the real driver process, held against the server's own books."""

from __future__ import annotations

import os
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import xxhash

from analysis.trial.figures import figures_of_trial
from harness.loading.load import LoadDriver, LoadFailed
from harness.programs.processes import Processes
from results.records import COLUMN, LoadRecord, Outcome
from scenarios.specification import Address, Download, FetchSpecification, TrialSpecification
from tests.synthetic import SyntheticServer


@pytest.fixture(scope="module")
def server() -> Iterator[SyntheticServer]:
    with SyntheticServer() as running:
        yield running


def specification(
    server: SyntheticServer, path: str, *, users: int = 1, **changes: object
) -> TrialSpecification:
    body = server.body(path, number=10**6)
    given = TrialSpecification(
        address=Address(server.host, server.port, "GET", path, (), timeout_s=10, keep_alive=True),
        name="synthetic",
        load=Download(users),
        warmup_s=0.1,
        window_s=0.5,
        status=200,
        body_bytes=len(body),
        digest=xxhash.xxh3_64_intdigest(body),
    )
    return replace(given, **changes)  # type: ignore[arg-type]


def column(load: LoadRecord, name: str) -> list[int]:
    return [int(value) for value in load.requests[:, COLUMN[name]]]


def outcomes(load: LoadRecord) -> Counter[Outcome]:
    return Counter(Outcome(value) for value in column(load, "outcome"))


@pytest.mark.parametrize("users", [1, 7])
def test_both_sides_count_the_same_requests(driver: LoadDriver, server: SyntheticServer, users: int) -> None:
    server.reset()
    load = driver.run(specification(server, server.path(chunks=(3000,), pace_s=0.01), users=users))
    truth = server.truth()
    assert len(load.requests) == len(truth) == server.counts().requests
    assert outcomes(load) == {Outcome.VERIFIED: len(truth)}
    assert set(column(load, "user")) == set(range(users))
    assert server.counts().connections == users
    assert sum(column(load, "body_bytes")) == sum(request.body_bytes for request in truth)


def test_nothing_is_sent_after_the_window_and_what_was_sent_is_drained(
    driver: LoadDriver, server: SyntheticServer
) -> None:
    server.reset()
    load = driver.run(specification(server, server.path(chunks=(500,), body_after_s=0.15), users=3))
    assert max(column(load, "sent_ns")) < load.window_close_ns + 0.1e9
    assert max(column(load, "last_ns")) <= load.drained_ns
    assert min(column(load, "sent_ns")) < load.window_open_ns
    assert all(request.outcome == "done" for request in server.truth())


def test_throughput_and_rate_are_the_server_s(driver: LoadDriver, server: SyntheticServer) -> None:
    """Counted from the server's stamps of what it sent inside the window."""
    server.reset()
    path = server.path(chunks=(2000,), repeat=20, pace_s=0.004)
    load = driver.run(specification(server, path, users=2, window_s=1.0))
    figures = figures_of_trial(load, None)
    writes = [write for request in server.truth() for write in request.body]
    sent = sum(w.body_bytes for w in writes if load.window_open_ns <= w.before_ns < load.window_close_ns)
    assert figures["throughput"] == pytest.approx(sent / 1.0, rel=0.05)
    ends = [request.end.before_ns for request in server.truth() if request.end]
    finished = sum(load.window_open_ns <= end < load.window_close_ns for end in ends)
    assert figures["requests_per_second"] == pytest.approx(finished / 1.0, abs=2)


def test_time_to_first_byte_is_the_delay_and_not_the_headers(
    driver: LoadDriver, server: SyntheticServer
) -> None:
    server.reset()
    path = server.path(chunks=(0, 4000), pace_s=0.02, headers_after_s=0.01)
    load = driver.run(specification(server, path, window_s=0.8))
    figures = figures_of_trial(load, None)
    truth = sorted(
        request.first_body.before_ns - request.received_ns for request in server.truth() if request.first_body
    )
    middle = truth[len(truth) // 2]
    assert figures["ttfb_p50"] is not None
    assert figures["tthb_p50"] is not None
    assert figures["ttfb_p50"] >= 0.03e9
    assert figures["ttfb_p50"] == pytest.approx(middle, rel=0.3)
    assert 0.01e9 <= figures["tthb_p50"] < figures["ttfb_p50"] - 0.015e9


def test_one_flipped_byte_in_a_late_response_is_found(driver: LoadDriver, server: SyntheticServer) -> None:
    server.reset()
    path = server.path(name="flip", chunks=(9000,), pace_s=0.005, body_after_s=0.01, flip_at=12)
    load = driver.run(specification(server, path))
    assert outcomes(load)[Outcome.WRONG_BYTES] == 1
    assert column(load, "outcome").index(Outcome.WRONG_BYTES) == 11
    assert sum(load.errors.values()) == 1


def test_a_relaxed_hash_still_asks_for_the_length(driver: LoadDriver, server: SyntheticServer) -> None:
    server.reset()
    flipped = server.path(name="flip2", chunks=(9000,), body_after_s=0.01, flip_at=2)
    assert set(outcomes(driver.run(specification(server, flipped, digest=None)))) == {Outcome.VERIFIED}
    load = driver.run(specification(server, flipped, digest=None, body_bytes=8999))
    assert set(outcomes(load)) == {Outcome.WRONG_LENGTH}


def test_a_dead_server_is_not_asked_in_a_tight_loop(driver: LoadDriver) -> None:
    with SyntheticServer() as gone:
        asked = specification(gone, gone.path())
    load = driver.run(asked)
    assert set(outcomes(load)) == {Outcome.CONNECT_FAILED}
    assert 2 <= len(load.requests) <= 20
    assert sum(load.errors.values()) == len(load.requests)


def test_a_silent_server_ends_with_the_timeout_and_the_driver_goes_on(
    driver: LoadDriver, server: SyntheticServer
) -> None:
    server.reset()
    asked = specification(server, server.path(silent=True))
    load = driver.run(replace(asked, address=replace(asked.address, timeout_s=0.3)))
    assert set(outcomes(load)) == {Outcome.TIMED_OUT}
    server.reset()
    assert set(outcomes(driver.run(specification(server, server.path())))) == {Outcome.VERIFIED}


def test_a_kept_body_is_the_server_s_and_its_chunks_are_the_yields(
    driver: LoadDriver, server: SyntheticServer, tmp_path: Path
) -> None:
    path = server.path(chunks=(10, 300, 20, 300), pace_s=0.001)
    kept = tmp_path / "body"
    found = driver.fetch(FetchSpecification(specification(server, path).address, str(kept))).found
    assert kept.read_bytes() == server.body(path)
    assert found.digest == xxhash.xxh3_64_hexdigest(server.body(path))
    assert (found.framing, found.chunks, found.first_chunk_bytes) == ("chunked", 4, 10)
    assert found.median_chunk_bytes == 160
    assert found.failure is None


def test_a_cut_off_body_is_reported_with_how_it_failed(
    driver: LoadDriver, server: SyntheticServer, tmp_path: Path
) -> None:
    path = server.path(chunks=(1000,), repeat=4, cut_at=1500)
    found = driver.fetch(
        FetchSpecification(specification(server, path).address, str(tmp_path / "body"))
    ).found
    assert found.failure
    assert found.body_bytes == 1500


def test_a_body_that_is_too_much_is_left_and_the_driver_goes_on(
    driver: LoadDriver, server: SyntheticServer, tmp_path: Path
) -> None:
    path = server.path(chunks=(1000,), repeat=4000, pace_s=0.001)
    asked = FetchSpecification(specification(server, path).address, str(tmp_path / "body"), 20_000)
    fetched = driver.fetch(asked)
    assert fetched.unended
    assert fetched.found.failure == "left after 20,000 bytes"
    assert 20_000 < fetched.found.body_bytes < 2_000_000
    fitting = driver.fetch(replace(asked, most_bytes=4_000_000))
    assert (fitting.unended, fitting.found.failure, fitting.found.body_bytes) == (False, None, 4_000_000)


def test_one_that_goes_on_when_its_time_is_over_is_told_from_one_that_never_began(
    driver: LoadDriver, server: SyntheticServer, tmp_path: Path
) -> None:
    for reply, unended in (
        ({"chunks": (10,), "repeat": 600, "pace_s": 0.1}, True),
        ({"silent": True}, False),
    ):
        address = replace(specification(server, server.path(**reply)).address, timeout_s=0.5)
        fetched = driver.fetch(FetchSpecification(address, str(tmp_path / "body")))
        assert fetched.found.failure == "no complete response within 0.5 s"
        assert fetched.unended is unended


def test_a_killed_driver_is_an_error_and_not_a_result(server: SyntheticServer) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="sg-") as folder,
        Processes() as processes,
        LoadDriver(processes, Path(folder), cores=None) as doomed,
    ):
        os.kill(doomed.pid, signal.SIGKILL)
        with pytest.raises(LoadFailed, match="driver died"):
            doomed.run(specification(server, server.path()))
