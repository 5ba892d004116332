"""A worker that is told of a trial only after its begin: the trial is lost, the next ones begin later."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.loading.load import LoadFailed
from results.faults import Fault
from tests.scenarios.workers.crews import asked, crew_of
from tests.synthetic import SyntheticServer

#: A load process that hears of each trial so long after it was told.
_SLOW_OF_HEARING = """
import sys
import gevent
from scenarios.workers import worker

hears = worker.Worker._on_trial

def hears_late(self, msg, **_):
    gevent.spawn_later(0.6, hears, self, msg)

worker.Worker._on_trial = hears_late
sys.argv = sys.argv[-2:]
sys.exit(worker.main())
"""


@pytest.fixture(scope="module")
def server() -> Iterator[SyntheticServer]:
    with SyntheticServer() as running:
        yield running


def test_a_trial_that_was_told_too_late_is_lost_and_the_next_begins_later(
    server: SyntheticServer, tmp_path: Path
) -> None:
    script = tmp_path / "slow_of_hearing.py"
    script.write_text(_SLOW_OF_HEARING)
    trial = asked(server, server.path(chunks=(500, 500)))
    with crew_of([[sys.executable, str(script)]]) as crew:
        with pytest.raises(LoadFailed, match=r"it was told of the trial \d+ ms after its begin") as caught:
            crew.driver.run(trial)
        assert caught.value.fault is Fault.WORKER_LOST
        load = crew.driver.run(trial)
    (share,) = load.workers
    assert share.requests == len(load.requests) > 0
