"""Over real sockets: no response keeps the client past its deadline, or makes it grow past a bound."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import psutil
import pytest

from harness.loading.load import LoadDriver
from harness.probes.memory import high_water_bytes, reset_high_water, rss_bytes
from results.records import COLUMN, Outcome
from scenarios.specification import (
    Address,
    Download,
    FetchSpecification,
    TraceSpecification,
    TrialSpecification,
)
from tests.scenarios.hostile.server import BODY_BYTES, FAULTS, HostileServer

TIMEOUT_S = 0.4
#: The machine is shared: a client that hangs takes longer than any load on it explains.
PATIENCE_S = 20.0
MOST_GROWTH_BYTES = 24 << 20
#: One read, or one piece of what is decoded.
READ_BYTES = 256 << 10


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with HostileServer() as running:
        yield running


@pytest.fixture
def bounded(driver: LoadDriver) -> Iterator[None]:
    """Whatever the driver is sent, it does not grow by more than a few read buffers."""
    process = psutil.Process(driver.pid)
    before = rss_bytes(process)
    reset_high_water(process)
    yield
    assert (high_water_bytes(process) or 0) - before < MOST_GROWTH_BYTES


def address(server: HostileServer, number: int) -> Address:
    return Address("127.0.0.1", server.port, "GET", f"/{number}", (), TIMEOUT_S, keep_alive=True)


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize("name", FAULTS)
def test_a_trial_ends_and_calls_it_what_it_is(driver: LoadDriver, server: HostileServer, name: str) -> None:
    number, outcome = list(FAULTS).index(name), FAULTS[name][1]
    begun_s = time.monotonic()
    load = driver.run(
        TrialSpecification(
            address(server, number), name, Download(3), 0, 0.2, status=200, body_bytes=BODY_BYTES, digest=0
        )
    )
    assert time.monotonic() - begun_s < PATIENCE_S
    outcomes = Counter(Outcome(value) for value in load.requests[:, COLUMN["outcome"]])
    assert set(outcomes) == {outcome}, load.errors
    assert outcomes[outcome] >= 3


@pytest.mark.usefixtures("bounded")
def test_a_bomb_of_the_length_that_is_expected_ends_with_the_deadline(
    driver: LoadDriver, server: HostileServer
) -> None:
    number = list(FAULTS).index("a compression bomb")
    load = driver.run(
        TrialSpecification(
            address(server, number), "bomb", Download(1), 0, 0.1, status=200, body_bytes=1 << 40, digest=0
        )
    )
    assert {Outcome(value) for value in load.requests[:, COLUMN["outcome"]]} == {Outcome.TIMED_OUT}


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize("name", FAULTS)
def test_verify_and_the_tracer_end_too(
    driver: LoadDriver, server: HostileServer, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    where = address(server, list(FAULTS).index(name))
    kept = tmp_path_factory.mktemp("kept") / "body"
    begun_s = time.monotonic()
    fetched = driver.fetch(FetchSpecification(where, str(kept), most_bytes=1 << 20))
    assert fetched.found.failure
    assert kept.stat().st_size <= (1 << 20) + READ_BYTES
    traced = driver.trace(TraceSpecification(where, 2, 1.0, status=200, body_bytes=BODY_BYTES, digest=0))
    assert traced.failure
    assert len(traced.requests) == 1
    assert time.monotonic() - begun_s < PATIENCE_S
