"""Workers that die, are cut off, come late or may not join: no trial counts that lacks their records."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgpack  # type: ignore[import-untyped]
import pytest
import zmq

from harness.loading.load import LoadFailed, LoadGivenUp
from results.errors import ExitCode
from results.faults import Fault
from results.records import LoadRecord
from scenarios.specification import Arrivals, Download, TrialSpecification
from tests.scenarios.workers.crews import TOKEN, Running, asked, crew_of
from tests.synthetic import SyntheticServer

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def server() -> Iterator[SyntheticServer]:
    with SyntheticServer() as running:
        yield running


@pytest.fixture(scope="module")
def crew() -> Iterator[Running]:
    with crew_of([[], []], enough=1, patience_s=4) as running:
        yield running


@pytest.fixture
def trial(server: SyntheticServer) -> TrialSpecification:
    return asked(server, server.path(chunks=(500, 500), pace_s=0.02))


def in_the_middle(running: Running, do: Callable[[], object], trial: TrialSpecification) -> LoadFailed:
    """What becomes of a trial of two seconds in the middle of which something is done."""
    timer = threading.Timer(1.2, do)
    timer.start()
    try:
        with pytest.raises(LoadFailed) as caught:
            running.driver.run(replace(trial, window_s=2.0))
    finally:
        timer.join()
    return caught.value


def names(running: Running, load: LoadRecord) -> list[str]:
    """Who made a load, like 0 and 1: the numbers of the processes that were lent."""
    by_number = {worker.number: worker.name for worker in running.driver.workers}
    return sorted(by_number[share.worker].rpartition("/")[2] for share in load.workers)


def once_lost(running: Running, trial: TrialSpecification) -> LoadRecord:
    """A trial after one that a lost worker cost, if the master has not missed it yet."""
    try:
        return running.driver.run(trial)
    except LoadGivenUp:
        raise
    except LoadFailed as failed:
        if failed.fault is not Fault.WORKER_LOST:
            raise
        return running.driver.run(trial)


def ended(running: Running, number: int) -> dict[str, object]:
    """The last that a worker told, when it has ended."""
    lent = running.lent[number]
    assert lent.process.wait(30) is not None
    return dict(list(lent.told())[-1])


def test_one_that_is_stopped_in_the_middle_costs_the_trial_and_comes_back(
    crew: Running, trial: TrialSpecification
) -> None:
    stopped = crew.lent[1].process.pid
    failed = in_the_middle(crew, lambda: os.kill(stopped, signal.SIGSTOP), trial)
    assert failed.fault is Fault.WORKER_LOST
    assert "was not heard of for" in str(failed)
    assert not isinstance(failed, LoadGivenUp)
    os.kill(stopped, signal.SIGCONT)
    load = crew.driver.run(trial)
    assert names(crew, load) == ["0", "1"]
    assert sum(share.requests for share in load.workers) == len(load.requests)


def test_one_that_joins_in_the_middle_has_no_part_in_that_trial(
    crew: Running, trial: TrialSpecification
) -> None:
    timer = threading.Timer(0.4, crew.lend)
    timer.start()
    load = crew.driver.run(replace(trial, window_s=2.0))
    timer.join()
    assert names(crew, load) == ["0", "1"]
    deadline = time.monotonic() + 20
    while len(crew.driver.workers) < 3 and time.monotonic() < deadline:
        assert names(crew, crew.driver.run(trial)) == ["0", "1"], "two are expected"
    assert crew.driver.workers[2].name.endswith("/2")


def test_one_that_dies_costs_the_trial_and_a_spare_one_takes_its_place(
    crew: Running, trial: TrialSpecification
) -> None:
    failed = in_the_middle(crew, lambda: os.kill(crew.lent[0].process.pid, signal.SIGKILL), trial)
    assert failed.fault is Fault.WORKER_LOST
    assert names(crew, crew.driver.run(trial)) == ["1", "2"]


def test_the_load_goes_on_with_enough_and_ends_with_fewer(crew: Running, trial: TrialSpecification) -> None:
    crew.lent[1].process.kill()
    assert names(crew, once_lost(crew, trial)) == ["2"]
    assert crew.driver.fewer == 1
    crew.lent[2].process.kill()
    with pytest.raises(LoadGivenUp, match="0 of 2 workers are there") as caught:
        once_lost(crew, trial)
    assert caught.value.fault is Fault.WORKER_LOST
    crew.lend()
    crew.lend()
    assert len(crew.driver.run(trial).workers) == 2
    assert crew.driver.fewer is None


def test_who_has_another_token_is_told_so_and_is_not_let_in(crew: Running, trial: TrialSpecification) -> None:
    before = len(crew.driver.workers)
    crew.lend(token=TOKEN[::-1], patience_s=2)
    told = ended(crew, len(crew.lent) - 1)
    assert told["code"] == ExitCode.INVALID
    assert "does not know this token" in str(told["why"])
    crew.driver.run(trial)
    assert len(crew.driver.workers) == before


def test_locust_s_own_worker_is_not_let_in(crew: Running, trial: TrialSpecification) -> None:
    """Its first message, by the socket that Locust's workers have: nothing is answered."""
    before = len(crew.driver.workers)
    with zmq.Context() as context, context.socket(zmq.DEALER) as stranger:
        stranger.setsockopt(zmq.LINGER, 0)
        stranger.connect(f"tcp://127.0.0.1:{crew.driver.port}")
        with contextlib.suppress(zmq.Again):  # not even a queue for it
            stranger.send(msgpack.dumps(("client_ready", "2.47.0", "stranger")), zmq.NOBLOCK)
        assert not stranger.poll(1500)
    crew.driver.run(trial)
    assert len(crew.driver.workers) == before


def test_nobody_there_is_told_apart_from_a_wrong_token(crew: Running) -> None:
    port = crew.driver.port
    try:
        crew.driver._port = 1  # where nobody listens
        crew.lend(patience_s=1)
    finally:
        crew.driver._port = port
    told = ended(crew, len(crew.lent) - 1)
    assert told["code"] == ExitCode.INVALID
    assert "no run listens on 127.0.0.1:1" in str(told["why"])


def test_another_version_is_refused_by_name(crew: Running, tmp_path: Path) -> None:
    """A real copy of the code with one line more."""
    for package in ("scenarios", "results"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("*.sqlite", "runs"))
    with (tmp_path / "scenarios" / "pace.py").open("a") as file:
        file.write("# another version\n")
    crew.lend(python_path=str(tmp_path))
    told = ended(crew, len(crew.lent) - 1)
    assert told["code"] == ExitCode.USAGE
    assert "install the same version on both machines" in str(told["why"])


def test_a_master_that_dies_is_replaced_and_the_workers_join_it(
    crew: Running, trial: TrialSpecification
) -> None:
    """It dies before any stream begins: the next one hears first from workers that it does not know."""
    small = replace(trial, load=Arrivals(20, "constant", 2), warmup_s=3.0)
    mixed = replace(trial, others=small)
    failed = in_the_middle(crew, lambda: os.kill(crew.driver.pid, signal.SIGKILL), mixed)
    assert failed.fault is Fault.DRIVER_DIED
    load = crew.driver.run(trial)
    assert len(load.workers) == 2
    assert len({worker.number for worker in crew.driver.workers}) == len(crew.driver.workers)


def test_a_master_that_hangs_is_missed_soon_and_one_that_waits_for_its_workers_is_not(
    crew: Running, trial: TrialSpecification, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long a trial may take, it says every second that it is there."""
    monkeypatch.setattr("harness.loading.load.LONGEST_PAUSE_S", 2.5)
    assert len(crew.driver.run(replace(trial, window_s=3.0)).workers) == 2
    stopped = crew.driver.pid
    begun = time.monotonic()
    failed = in_the_middle(crew, lambda: os.kill(stopped, signal.SIGSTOP), trial)
    assert time.monotonic() - begun < trial.takes_at_most_s, "else it is the trial's own time that was over"
    assert failed.fault is Fault.DRIVER_HUNG
    assert "hung: it was silent for 2.5 s" in str(failed)
    monkeypatch.undo()
    assert crew.driver.run(trial).workers
    assert crew.driver.pid != stopped


def test_all_workers_are_told_of_the_end(server: SyntheticServer) -> None:
    with crew_of([[]]) as running:
        running.driver.run(asked(server, server.path(), load=Download(1)))
        running.driver.__exit__()
        told = ended(running, 0)
    assert (told["code"], told["why"]) == (ExitCode.GOOD, "the run is over")
    assert json.dumps(told)
