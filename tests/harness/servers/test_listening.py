"""What is started listens where it is told, and there only; behind a proxy of ours on loopback."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.conduct import verify
from harness.programs.cores import Cores
from harness.programs.ports import HOST, free_port
from harness.suites.matrix import PlannedCase, cases_of
from harness.trials.calibrate import SCHEDULES, Calibrator, Length
from harness.trials.tracing import CaseTracer
from harness.trials.trial import TrialMeasurer
from harness.trials.workshop import Workshop, workshop
from results.calibration import Answers
from results.faults import Fault
from results.records import COLUMN, Outcome, Slot
from tests.harness.examples import Untold, suite_of
from tests.programs import need

#: Another address of the loopback interface; only Linux has it without being asked.
ELSEWHERE = "127.0.0.2"
SUITE = """name = "paced"
[[target]]
name = "paced"
{target}
baseline = "/?pieces=1&bytes=1000"
stream = "/?pieces=10&bytes=100"
check = "length"
{tables}
[[scenario]]
kind = "download"
"""
OURS = 'app = "targets.paced:app"'
GUNICORN = '[[server]]\nkind = "gunicorn"\n'
NGINX = '[[proxy]]\nkind = "nginx"\n'


@pytest.fixture(scope="module", params=[ELSEWHERE, "::1"])
def shop(request: pytest.FixtureRequest) -> Iterator[Workshop]:
    host: str = request.param
    try:
        free_port(host)
    except OSError as error:
        pytest.skip(f"this machine has no {host}: {error}")
    with workshop(Cores(), host=host) as made:
        yield made


def cases(target: str = OURS, tables: str = GUNICORN) -> list[PlannedCase]:
    return cases_of(suite_of(SUITE.format(target=target, tables=tables), Path(__file__).parents[3]))


def listening(pid: int | None) -> set[tuple[str, int]]:
    """The addresses and ports at which a process and those that it has started listen."""
    first = psutil.Process(pid)
    found = [one.net_connections("tcp") for one in (first, *first.children(recursive=True))]
    return {
        (connection.laddr.ip, connection.laddr.port)
        for connection in itertools.chain.from_iterable(found)
        if connection.status == psutil.CONN_LISTEN
    }


def test_a_server_is_asked_where_it_listens_by_all_that_asks(shop: Workshop) -> None:
    found = cases()
    expected = verify({item.case.identity: item for item in found}, shop, Untold())
    stream = found[-1]
    measurer = TrialMeasurer(shop, seed=1, warmup_s=0.1, window_s=0.3)
    trial = measurer(Slot(0, 0, stream.case.identity), stream, expected[stream.case.identity])
    # what a busy machine does to its figures is of no account here
    assert trial.fault in {None, Fault.LOAD_BEHIND, Fault.MACHINE_DISTURBED}, trial.reason
    assert trial.load is not None
    assert set(trial.load.requests[:, COLUMN["outcome"]]) == {Outcome.VERIFIED}
    trace = CaseTracer(shop)(stream, expected[stream.case.identity])
    assert trace.reason is None
    (point,) = Calibrator(shop).points([1], [Answers.ONCE], Length(0.1, 0.3, SCHEDULES))
    assert point.requests > 5


@pytest.mark.parametrize(
    ("target", "tables"),
    [
        (OURS, GUNICORN),
        (OURS, '[[server]]\nkind = "uwsgi"\n'),
        (f'command = "{sys.executable} -m gunicorn -b {{bind}} targets.paced:app"', ""),
        (f'command = "{sys.executable} -m waitress --host={{host}} --port={{port}} targets.paced:app"', ""),
    ],
)
def test_it_listens_nowhere_else(shop: Workshop, target: str, tables: str) -> None:
    planned = cases(target, tables)[-1]
    with shop.serving(planned) as server:
        assert server.host == shop.host
        assert listening(server.pid) == {(shop.host, server.port)}


def test_of_a_proxy_and_its_server_only_the_proxy_does(shop: Workshop) -> None:
    need("nginx")
    planned = cases(tables=GUNICORN + NGINX)[-1]
    assert verify({planned.case.identity: planned}, shop, Untold())
    with shop.serving(planned) as server:
        assert server.host == shop.host
        assert server.proxy is not None
        assert listening(server.proxy.process.pid) == {(shop.host, server.port)}
        assert {host for host, _ in listening(server.pid)} == {HOST}
