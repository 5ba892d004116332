"""Bad servers and drivers, for real: each trial ends in its time and has a name; the next one is measured."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import xxhash

from harness.loading.load import LoadFailed, LoadGivenUp
from harness.programs.cores import Cores
from harness.servers import serving as serving_module
from harness.suites.matrix import PlannedCase, cases_of
from harness.trials.trial import TrialMeasurer
from harness.trials.workshop import Workshop, workshop
from results.faults import Fault
from results.records import Slot, TrialRecord, Verification
from scenarios import specification
from scenarios.specification import Address, FetchSpecification
from tests.harness import misbehaving
from tests.harness.examples import HEAD, suite_of

TIMEOUT_S, WARMUP_S, WINDOW_S = 0.5, 0.05, 0.25
#: What a machine that is busy with other tests may do to a healthy trial.
HEALTHY = {None, Fault.LOAD_BEHIND, Fault.MACHINE_DISTURBED}
GUNICORN = """
import os, time
from tests.harness.misbehaving import BODY

asked = 0

def app(environ, start_response):
    global asked
    asked += environ["PATH_INFO"] != "/ready"
    if os.environ.get("WAY") == "dies" and asked > 2:
        os.kill(os.getpid(), 9)
    start_response("200 OK", [("Content-Length", str(len(BODY)))])
    return [BODY]
"""


@pytest.fixture(scope="module")
def shop() -> Iterator[Workshop]:
    with workshop(Cores(None, None, None)) as made:
        yield made


def case(command: str, folder: Path, more: str = "") -> PlannedCase:
    target = (
        f'[[target]]\nname = "bad"\ncommand = {command!r}\nready = "/ready"\nbaseline = "/whole"\n'
        f'stream = "/stream"\ntimeout = "{TIMEOUT_S}s"\n{more}'
    )
    return cases_of(suite_of(HEAD + target + '[[scenario]]\nkind = "download"\nusers = 2\n', folder))[1]


def misbehaves(way: str, *more: str) -> PlannedCase:
    words = [sys.executable, "-m", misbehaving.__name__, "{bind}", way, *more]
    return case(" ".join(words), Path(__file__).parents[3])


def measured(shop: Workshop, planned: PlannedCase, *, within_s: float) -> TrialRecord:
    """One trial, which does not take longer."""
    measurer = TrialMeasurer(
        shop,
        seed=1,
        warmup_s=WARMUP_S,
        window_s=WINDOW_S,
    )
    body = misbehaving.BODY
    digest = f"{xxhash.xxh3_64(body).intdigest():016x}"
    expected = Verification(200, len(body), digest, "length", None, None, None, None)
    begun = time.monotonic()
    trial = measurer(Slot(0, 0, planned.case.identity), planned, expected)
    assert time.monotonic() - begun < within_s
    return trial


#: A start, the load with each request's timeout, settling and ending, on a machine that is busy.
BOUND_S = 12.0
WAYS = {
    "killed": (Fault.SERVER_DIED, r"the server ended during the trial \(killed by SIGKILL"),
    "exits": (Fault.SERVER_DIED, r"code 7.*last words: no more orders today"),
    "hangs": (Fault.SERVER_HUNG, r"no complete response within 0\.5 s"),
    "drips": (Fault.TOO_SLOW, r"no complete response within 0\.5 s"),
    "short": (Fault.RESPONSES_FAILED, r"closed after 7 bytes of body, too soon"),
    "breaks": (Fault.SERVER_DID_NOT_START, r"ended with code 1 before it answered.*there is no database"),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_fault_has_its_name_and_the_next_trial_is_measured(shop: Workshop, way: str) -> None:
    fault, words = WAYS[way]
    trial = measured(shop, misbehaves(way), within_s=BOUND_S)
    assert trial.fault is fault, trial.reason
    assert trial.reason is not None
    assert trial.reason.startswith(f"{fault}: ")
    assert re.search(words, trial.reason, re.DOTALL), trial.reason


def test_after_all_of_them_a_healthy_server_is_measured_and_one_that_leaks_is_told_by_its_figures(
    shop: Workshop,
) -> None:
    well = measured(shop, misbehaves("well"), within_s=BOUND_S)
    assert well.fault in HEALTHY, well.reason
    leaks = measured(shop, misbehaves("leaks"), within_s=BOUND_S)
    assert leaks.fault in HEALTHY, leaks.reason
    assert leaks.load is not None
    kept = leaks.figures["retained"]
    assert kept is not None
    assert kept > len(leaks.load.requests) * 2**19


@pytest.mark.parametrize("way", ["never", "mute"])
def test_one_that_never_answers_is_not_waited_for_any_longer(
    shop: Workshop, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving_module, "READY_TIMEOUT_S", 0.8)
    trial = measured(shop, misbehaves(way), within_s=BOUND_S)
    assert (trial.fault, trial.load) == (Fault.SERVER_DID_NOT_START, None)
    assert "did not answer /ready within 0.8 s" in (trial.reason or "")


def test_a_response_that_outlasts_the_window_is_too_slow(shop: Workshop) -> None:
    planned = misbehaves("slow")
    patient = planned.target.model_copy(update={"timeout": 5.0})
    trial = measured(shop, replace(planned, target=patient), within_s=BOUND_S)
    assert trial.fault is Fault.TOO_SLOW
    assert "no request was sent inside the window" in (trial.reason or "")


@pytest.mark.parametrize(
    ("words", "more"),
    [("--max-requests 5", ""), ("", 'environment = { WAY = "dies" }\n')],
    ids=["restarted", "crashed"],
)
def test_workers_that_are_restarted_or_crash_void_the_trial(
    shop: Workshop, tmp_path: Path, words: str, more: str
) -> None:
    (tmp_path / "shop.py").write_text(GUNICORN)
    root = Path(__file__).parents[3]
    command = f"{shlex.quote(sys.executable)} -m gunicorn {words} --pythonpath {root} -b {{bind}} shop:app"
    trial = measured(shop, case(command, tmp_path, more), within_s=BOUND_S)
    assert trial.fault is Fault.WORKERS_CHANGED, trial.reason
    assert "a worker ended, or was started, restarted or replaced" in (trial.reason or "")
    assert trial.server is None, "no memory and no CPU time of workers that are gone"
    assert trial.load is not None
    assert trial.figures["peak_memory"] is None
    assert trial.figures["ttfb_p50"], "what was seen of the responses is kept beside the reason"


def _group() -> Path | None:
    """A new control group with a limit of memory, where we may make one."""
    for top in (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")):
        group = top / f"streamgauge-test-{secrets.token_hex(4)}"
        for limit in ("memory.limit_in_bytes", "memory.max"):
            if not (top / limit).exists() and not (top / "memory.stat").exists():
                continue
            with suppress(OSError):
                group.mkdir(exist_ok=True)
                (group / limit).write_text(str(misbehaving.LIMIT_BYTES))
                return group
        with suppress(OSError):
            group.rmdir()
    return None


def test_one_that_the_kernel_kills_for_memory_is_told_from_one_that_somebody_kills(shop: Workshop) -> None:
    group = _group()
    if group is None:
        pytest.skip("no control group can be made here")
    try:
        trial = measured(shop, misbehaves("eats", str(group)), within_s=BOUND_S)
        assert trial.fault is Fault.KILLED_FOR_MEMORY, trial.reason
        assert "of the server's control group for want of memory" in (trial.reason or "")
    finally:
        for _ in range(50):
            with suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.1)


@pytest.mark.parametrize(
    ("number", "fault"), [(signal.SIGKILL, Fault.DRIVER_DIED), (signal.SIGSTOP, Fault.DRIVER_HUNG)]
)
def test_a_driver_that_dies_or_hangs_costs_its_trial_and_no_more(
    shop: Workshop, number: signal.Signals, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shop.driver.pid
    with monkeypatch.context() as impatient:
        impatient.setattr(specification, "GRACE_S", 0.5)
        trial = measured(shop, misbehaves("betrays", str(before), str(int(number))), within_s=BOUND_S)
    assert trial.fault is fault, trial.reason
    assert trial.load is None
    assert fault.of_the_load_side
    well = measured(shop, misbehaves("well"), within_s=2 * BOUND_S)
    assert well.fault in HEALTHY, well.reason
    assert shop.driver.pid != before
    assert not psutil.pid_exists(before)


def test_drivers_that_die_again_and_again_are_given_up(shop: Workshop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(BOUND_S)
        address = Address("127.0.0.1", silent.getsockname()[1], "GET", "/", (), 20.0, keep_alive=False)
        asked = FetchSpecification(address, str(shop.folder / "body"))

        def kill_who_asks() -> None:
            for _ in range(3):
                connection, _ = silent.accept()
                os.kill(shop.driver.pid, signal.SIGKILL)
                connection.close()

        thread = threading.Thread(target=kill_who_asks, daemon=True)
        thread.start()
        for _ in range(2):
            with pytest.raises(LoadFailed) as failed:
                shop.driver.fetch(asked)
            assert not isinstance(failed.value, LoadGivenUp)
        with pytest.raises(LoadGivenUp, match=r"3\. time in a row"):
            shop.driver.fetch(asked)
        thread.join()
    assert failed.value.fault is Fault.DRIVER_DIED


def test_others_on_the_machine_can_read_nothing_of_ours_and_connect_to_nothing(shop: Workshop) -> None:
    assert shop.folder.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in shop.folder.glob("*.log") if path.stat().st_mode & 0o077] == []
    measured(shop, misbehaves("well"), within_s=2 * BOUND_S)  # there is a driver, whatever tests came before
    listening = [
        item
        for item in psutil.Process(shop.driver.pid).net_connections()
        if item.status == psutil.CONN_LISTEN
    ]
    assert listening == []


def test_every_fault_has_a_hint_and_a_place_in_the_docs() -> None:
    text = (Path(__file__).parents[3] / "docs" / "reliability.md").read_text("utf-8")
    assert all(fault.hint.endswith(".") for fault in Fault)
    assert [fault for fault in Fault if f"`{fault}`" not in text] == []
