"""What several load processes hand over, held against the server's own books and clocks of known offset."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from analysis.trial.figures import figures_of_trial
from harness.programs.ports import free_port
from results.records import COLUMN, LoadRecord, Outcome
from scenarios.schedule import offsets_ns
from scenarios.specification import Arrivals, Download, HangUp, Leaving, SlowReader
from tests.scenarios.workers.crews import AHEAD_S, Running, asked, crew_of, other_clock
from tests.synthetic import SyntheticServer


@pytest.fixture(scope="module")
def server() -> Iterator[SyntheticServer]:
    with SyntheticServer() as running:
        yield running


@pytest.fixture(scope="module")
def crew() -> Iterator[Running]:
    with crew_of([[], other_clock()]) as running:
        yield running


def column(load: LoadRecord, name: str) -> list[int]:
    return [int(value) for value in load.requests[:, COLUMN[name]]]


def test_both_sides_count_the_same_requests(crew: Running, server: SyntheticServer) -> None:
    server.reset()
    load = crew.driver.run(asked(server, server.path(chunks=(3000,), pace_s=0.01), load=Download(5)))
    truth = server.truth()
    assert len(load.requests) == len(truth) == server.counts().requests
    assert set(column(load, "outcome")) == {Outcome.VERIFIED}
    assert sum(column(load, "body_bytes")) == sum(request.body_bytes for request in truth)
    assert server.counts().connections == 5
    by_worker = {share.worker: share.requests for share in load.workers}
    workers = column(load, "worker")
    assert by_worker == {number: workers.count(number) for number in (0, 1)}
    users = set(zip(workers, column(load, "user"), strict=True))
    assert users == {(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)}


def test_one_user_needs_one_worker(crew: Running, server: SyntheticServer) -> None:
    server.reset()
    load = crew.driver.run(asked(server, server.path(chunks=(30,), pace_s=0.01), load=Download(1)))
    assert [share.worker for share in load.workers] == [0]
    assert len(load.requests) == server.counts().requests


def test_a_clock_that_is_days_ahead_is_turned_into_ours_within_its_bound(
    crew: Running, server: SyntheticServer
) -> None:
    server.reset()
    load = crew.driver.run(asked(server, server.path(chunks=(3000, 3000), pace_s=0.01), load=Download(2)))
    same, ahead = sorted(load.workers, key=lambda share: share.offset_ns or 0)
    assert (same.offset_ns, same.offset_bound_ns) == (0, 0)
    assert ahead.offset_ns is not None
    assert ahead.offset_bound_ns is not None
    assert abs(ahead.offset_ns - AHEAD_S * 10**9) <= ahead.offset_bound_ns
    received: dict[int, list[int]] = {}
    for request in server.truth():
        received.setdefault(request.connection, []).append(request.received_ns)
    assert any(
        _answered(load, same.worker, connections[0], 0)
        and _answered(load, ahead.worker, connections[1], ahead.offset_bound_ns)
        for connections in itertools.permutations(received.values())
    )
    assert load.window_close_ns - load.window_open_ns == 400_000_000
    assert figures_of_trial(load, None)["ttfb_p50"] is not None


def _answered(load: LoadRecord, worker: int, received_ns: list[int], bound_ns: int) -> bool:
    """Whether each of a worker's requests came to the server between its first and its last instant."""
    own = load.requests[load.requests[:, COLUMN["worker"]] == worker]
    return len(own) == len(received_ns) and all(
        record[COLUMN["sent_ns"]] - bound_ns <= at_ns <= record[COLUMN["last_ns"]] + bound_ns
        for record, at_ns in zip(own, received_ns, strict=True)
    )


def test_the_window_is_the_same_for_all(crew: Running, server: SyntheticServer) -> None:
    """Each worker counts bytes at the edges of its own window; the sum is what the server sent in it."""
    server.reset()
    path = server.path(chunks=(2000,), repeat=20, pace_s=0.004)
    load = crew.driver.run(asked(server, path, load=Download(2), window_s=1.0))
    writes = [write for request in server.truth() for write in request.body]
    sent = sum(w.body_bytes for w in writes if load.window_open_ns <= w.before_ns < load.window_close_ns)
    assert figures_of_trial(load, None)["throughput"] == pytest.approx(sent / 1.0, rel=0.05)


def test_a_schedule_is_kept_by_all_together(crew: Running, server: SyntheticServer) -> None:
    server.reset()
    specification = asked(
        server, server.path(chunks=(500,)), load=Arrivals(60, "poisson", 20), schedule_seed="3/1/arrivals"
    )
    load = crew.driver.run(specification)
    planned = np.array(offsets_ns("poisson", 60, 0.5, "3/1/arrivals"))
    intended = np.sort(load.requests[:, COLUMN["intended_ns"]])
    assert len(intended) == len(planned) == server.counts().requests
    bound_ns = max(share.offset_bound_ns or 0 for share in load.workers)
    begun_ns = load.window_open_ns - 100_000_000
    assert np.abs(intended - begun_ns - planned).max() <= bound_ns
    assert set(column(load, "worker")) == {0, 1}


def test_others_and_hang_ups_and_slow_readers_are_shared_too(crew: Running, server: SyntheticServer) -> None:
    server.reset()
    path = server.path(chunks=(2000,), repeat=10, pace_s=0.01)
    small = asked(server, server.path(chunks=(5,)), load=Arrivals(40, "poisson", 90), warmup_s=0.3)
    load = crew.driver.run(asked(server, path, load=SlowReader(2, 50_000), others=small))
    assert load.others is not None
    assert len(load.requests) + len(load.others.requests) == server.counts().requests
    assert load.others.streams_begin_ns - load.others.begin_ns == 200_000_000
    assert set(load.others.requests[:, COLUMN["worker"]]) == {0, 1}

    server.reset()
    given = asked(server, path, load=HangUp(2, 0.5, 2.0), leaving=Leaving(8000, None))
    load = crew.driver.run(replace(given, small=replace(given.address, path=server.path(chunks=(5,)))))
    assert load.follow_ups is not None
    assert len(load.requests) + len(load.follow_ups) == server.counts().requests
    assert set(column(load, "outcome")) == {Outcome.HUNG_UP}
    within = load.follow_ups[:, 0]
    assert ((within > load.window_open_ns - 10**9) & (within < load.drained_ns)).all()


def test_a_crew_gathers_at_an_ipv6_address_too(server: SyntheticServer) -> None:
    host = "::1"
    try:
        free_port(host)
    except OSError as error:
        pytest.skip(f"this machine has no {host}: {error}")
    with crew_of([[]], host=host) as crew:
        load = crew.driver.run(asked(server, server.path(chunks=(500, 500))))
    assert [share.requests for share in load.workers] == [len(load.requests)]
