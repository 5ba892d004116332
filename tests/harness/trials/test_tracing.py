"""Traced trials on a real gunicorn, against apps whose pace and memory are known."""

from __future__ import annotations

import http.client
import itertools
import json
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.trial.tracing import (
    Joined,
    delivery,
    delivery_lags,
    figures_of_trace,
    joined,
    note_of,
    traced_request,
)
from harness.conduct import verify
from harness.programs.cores import Cores
from harness.servers.serving import RunningServer, serving
from harness.suites.file import parse_suite
from harness.suites.matrix import PlannedCase, cases_of
from harness.trials.ledger_file import await_ledger, read_ledger
from harness.trials.tracing import CaseTracer, Wrapped, ledger_around, specification
from harness.trials.verify import address_of
from harness.trials.workshop import Workshop, workshop
from results.records import COLUMN
from results.trace import LedgerRecord, Trace
from scenarios.specification import FetchSpecification
from targets.ledger import APP_VARIABLE, FILE_VARIABLE
from targets.servers import KINDS
from tests.harness.examples import Untold

SYNTHETIC = Path(__file__).parents[2] / "synthetic"
MIB = 1 << 20
linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's high-water mark is Linux's")


@pytest.fixture(scope="module")
def shop() -> Iterator[Workshop]:
    with workshop(Cores()) as made:
        yield made


def case_of(
    app: str,
    path: str,
    *,
    folder: Path = SYNTHETIC,
    ready: str = "/",
    kind: str = "gunicorn",
    server: str = "",
    users: int = 1,
) -> PlannedCase:
    text = f"""name = "traced"
    [[target]]
    name = "traced"
    app = "{app}"
    directory = "."
    ready = "{ready}"
    baseline = "{path}"
    stream = "{path}"
    [[server]]
    kind = "{kind}"
    {server}
    [[scenario]]
    kind = "download"
    users = {users}
    """
    planned, _ = cases_of(parse_suite(text, "traced.toml", folder))
    return planned


def tracer_of(shop: Workshop) -> CaseTracer:
    return CaseTracer(shop)


def traced(shop: Workshop, planned: PlannedCase) -> Trace:
    (expected,) = verify({planned.case.identity: planned}, shop, Untold()).values()
    return tracer_of(shop)(planned, expected)


@contextmanager
def traced_server(shop: Workshop, planned: PlannedCase) -> Iterator[tuple[RunningServer, Wrapped]]:
    with (
        ledger_around(planned, shop.folder) as wrapped,
        serving(
            wrapped.planned,
            processes=shop.processes,
            folder=shop.folder,
            cores=None,
            python=shop.python,
        ) as server,
    ):
        yield server, wrapped


def ask(server: RunningServer, path: str) -> dict[str, int]:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=30) as response:
        response.read()
        account: dict[str, int] = json.loads(response.headers.get("X-Truth", "{}"))
        return account


def records_of(wrapped: Wrapped, path: str, count: int) -> list[LedgerRecord]:
    """The records of this path, once there are so many (those of the readiness path are there too)."""
    deadline = time.monotonic() + 20
    while True:
        found = [record for record in read_ledger(wrapped.records) if record.path == path]
        if len(found) >= count:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def test_paced_yields_are_seen_when_they_were_made_and_arrive_before_the_next(shop: Workshop) -> None:
    trace = traced(shop, case_of("traced_app:app", "/paced?n=8&ms=25"))
    assert (trace.reason, trace.note) == (None, None)
    assert [request.number for request in trace.requests] == list(range(6))
    assert {(request.yields, request.yielded_bytes, request.ending) for request in trace.requests} == {
        (8, 800, "exhausted")
    }
    for request in trace.requests:
        assert request.closed_ns is not None
        assert request.sent_ns < request.began_ns < request.last_ns
        assert request.first_body_ns is not None
        assert request.first_body_ns > request.began_ns
    fall = trace.waterfall
    assert fall is not None
    assert fall.yields[:, 2].tolist() == [100 * n for n in range(1, 9)]
    assert set(fall.reads[:, 2]) <= set(fall.yields[:, 2])
    assert fall.reads[-1, 2] == 800
    assert (np.diff(fall.yields[:, 1]) >= 25e6).all()
    lag = trace.figures["delivery_lag_p50"]
    assert lag is not None
    assert 0 <= lag < 25e6 / 4
    assert delivery(trace.figures) == "streams"
    assert (trace.figures["yields"], trace.figures["chunk"]) == (8, 100)


def behind(shop: Workshop, outer: str, path: str) -> tuple[list[Joined], dict[str, float | None]]:
    """The joined books when ``outer`` of traced_app stands between the ledger and the server."""
    planned = case_of("traced_app:app", path)
    with ledger_around(planned, shop.folder) as wrapped:
        target = planned.target.model_copy(update={"app": f"traced_app:{outer}"})
        variables = {**wrapped.planned.variables, "JOINED": wrapped.planned.target.served}
        with serving(
            replace(wrapped.planned, target=target, variables=variables),
            processes=shop.processes,
            folder=shop.folder,
            cores=None,
            python=shop.python,
        ) as server:
            seen = shop.driver.fetch(
                FetchSpecification(address_of(planned, server.port), str(shop.folder / "body"))
            )
            load = shop.driver.trace(replace(specification(planned, seen.found, server.port), requests=2))
            sent = int(load.requests[0, COLUMN["sent_ns"]])
            records = await_ledger(wrapped.records, since_ns=sent, count=3, patience_s=5)
    items = joined(load.requests, load.reads, records)
    assert (load.failure, len(items)) == (None, 3)
    return items, figures_of_trace(items, [traced_request(item, []) for item in items])


def test_what_a_middleware_joins_is_held_to_the_end_in_a_straight_line(shop: Workshop) -> None:
    items, figures = behind(shop, "joined", "/paced?n=8&ms=25")
    assert delivery(figures) == "held to the end"
    assert figures["held"] == 1
    for item in items:
        yields = item.ledger.yields
        lags = delivery_lags(yields, item.reads)
        assert lags is not None
        # each chunk waited for all the gaps that were still to come
        waited = yields[-1, 0] - yields[:, 0]
        assert (lags.most >= waited).all()
        assert np.corrcoef(lags.most, waited)[0, 1] > 0.999
        assert lags.most[0] >= 7 * 25e6


def test_a_body_that_is_compressed_on_the_way_has_no_lags_and_says_so(shop: Workshop) -> None:
    items, figures = behind(shop, "gzipped", "/paced?n=8&ms=1")
    assert figures["delivery_lag_p50"] is figures["held"] is None
    assert "re-encodes the body" in (note_of(items) or "")
    assert figures["traced_ttlb_p50"] is not None


@linux
def test_the_growth_of_a_request_is_exact_whatever_sampling_sees(shop: Workshop) -> None:
    planned = case_of("memory_app:app", "/hold?mib=48&ms=2&kib=64", ready="/small")
    trace = traced(shop, planned)
    assert trace.reason is None
    for request in trace.requests:
        assert request.memory_growth_bytes is not None
        assert abs(request.memory_growth_bytes - 48 * MIB) <= 2 * MIB
        assert request.peak_missed_bytes is not None
        assert 0 <= request.peak_missed_bytes <= request.memory_growth_bytes
    assert abs((trace.figures["memory_growth_max"] or 0) - 48 * MIB) <= 2 * MIB


@linux
def test_what_is_held_for_long_is_not_missed(shop: Workshop) -> None:
    planned = case_of("memory_app:app", "/hold?mib=32&ms=400", ready="/small")
    trace = traced(shop, planned)
    assert trace.reason is None
    assert (trace.figures["request_peak_missed"] or 0) <= 2 * MIB
    assert abs((trace.figures["memory_growth_p50"] or 0) - 32 * MIB) <= 2 * MIB
    # 1.5 s are over before there are five of 400 ms
    assert 2 <= len(trace.requests) <= 5


@linux
def test_requests_at_the_same_time_have_no_memory_of_their_own(shop: Workshop) -> None:
    planned = case_of(
        "memory_app:app", "/small", ready="/small", server='worker_class = "gthread"\nthreads = 4'
    )
    with traced_server(shop, planned) as (server, wrapped):
        together = [threading.Thread(target=ask, args=(server, "/hold?mib=8&ms=400")) for _ in range(2)]
        for thread in together:
            thread.start()
        for thread in together:
            thread.join()
        ask(server, "/burn?ms=1")
        crowded = records_of(wrapped, "/hold", 2)
        (alone,) = records_of(wrapped, "/burn", 1)
    assert crowded[0].began_ns < (crowded[1].closed_ns or 0)
    assert crowded[1].began_ns < (crowded[0].closed_ns or 0)
    assert {record.hwm_bytes for record in crowded} == {None}
    assert alone.hwm_bytes is not None


def test_a_client_that_hangs_up_leaves_an_abandoned_request_that_was_closed(shop: Workshop) -> None:
    with traced_server(shop, case_of("traced_app:app", "/whole")) as (server, wrapped):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            port = client.getsockname()[1]
            client.sendall(b"GET /endless?ms=5 HTTP/1.1\r\nHost: a\r\n\r\n")
            client.recv(100)
        (record,) = records_of(wrapped, "/endless", 1)
    assert (record.ending, record.ended_ns, record.remote_port) == ("abandoned", None, port)
    assert record.closed_ns is not None
    assert len(record.yields) >= 1


def test_an_app_that_fails_in_the_middle_is_in_the_books(shop: Workshop) -> None:
    with traced_server(shop, case_of("traced_app:app", "/whole")) as (server, wrapped):
        with pytest.raises(http.client.IncompleteRead):
            ask(server, "/raises?n=3")
        (record,) = records_of(wrapped, "/raises", 1)
        assert "the paper ran out" in server.output()
    assert (record.ending, len(record.yields)) == ("raised", 3)
    assert record.closed_ns is not None


def test_a_traced_trial_that_fails_is_a_record_with_its_reason(shop: Workshop) -> None:
    planned = case_of("traced_app:app", "/paced?n=4")
    (expected,) = verify({planned.case.identity: planned}, shop, Untold()).values()
    wrong = tracer_of(shop)(planned, replace(expected, body_bytes=401))
    assert "request 1 of the traced trial failed: 400 bytes of body instead of 401" in (wrong.reason or "")
    assert (wrong.case, list(wrong.requests), wrong.waterfall) == (planned.case.identity, [], None)
    absent = replace(planned, target=planned.target.model_copy(update={"app": "no_such_app:app"}))
    assert "no_such_app" in (tracer_of(shop)(absent, expected).reason or "")


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"gunicorn"}))
def test_the_ledger_is_served_by_each_kind_of_server(shop: Workshop, kind: str) -> None:
    trace = traced(shop, case_of("traced_app:app", "/paced?n=3", kind=kind))
    assert trace.reason is None
    assert (trace.figures["yields"], trace.figures["chunk"]) == (3, 100)


def test_one_user_traces_a_case_of_many(shop: Workshop) -> None:
    planned = case_of("traced_app:app", "/paced?n=2", users=8, server='worker_class = "gthread"')
    trace = traced(shop, planned)
    assert trace.reason is None
    assert len(trace.requests) == 6
    ordered = sorted(trace.requests, key=lambda request: request.sent_ns)
    assert all(early.last_ns <= late.sent_ns for early, late in itertools.pairwise(ordered))


def test_modules_are_found_where_they_are_found_without_the_ledger(
    shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two folders hold a `till`: the app's own must win over that of the user's PYTHONPATH, as bare."""
    mine, shared = tmp_path / "mine", tmp_path / "shared"
    for folder, name in ((mine, "mine"), (shared, "shared")):
        folder.mkdir()
        (folder / "till.py").write_text(f"name = {name!r}\n")
    (shared / "spare.py").write_text("name = 'spare of shared'\n")
    (mine / "desk.py").write_text(
        "import os, sys, till, spare\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    known = [entry for entry in sys.path if 'streamgauge_ledger' not in entry]\n"
        "    return [repr((till.name, spare.name, known, os.getcwd())).encode()]\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(shared))
    planned = case_of("desk:app", "/", folder=mine)
    # the bodies are compared byte for byte: what verify saw of the bare app, and what the traced one says
    trace = traced(shop, planned)
    assert trace.reason is None
    assert len(trace.requests) == 6


def test_a_timed_server_carries_nothing_of_it(
    shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "desk.py").write_text(
        "import os, sys\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    marks = [name for name in os.environ if 'LEDGER' in name]\n"
        "    found = [name for name in sys.modules if 'ledger' in name]\n"
        "    return [repr((marks, found, os.environ.get('PYTHONPATH'))).encode()]\n"
    )
    monkeypatch.delenv("PYTHONPATH", raising=False)
    planned = case_of("desk:app", "/", folder=tmp_path)
    with (
        serving(
            planned, processes=shop.processes, folder=shop.folder, cores=None, python=shop.python
        ) as server,
        urllib.request.urlopen(f"http://127.0.0.1:{server.port}/", timeout=30) as response,
    ):
        assert response.read() == b"([], [], None)"
    with traced_server(shop, planned) as (server, wrapped):
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/", timeout=30) as response:
            said = response.read().decode()
        assert {APP_VARIABLE, FILE_VARIABLE} <= set(wrapped.planned.variables)
    assert APP_VARIABLE in said
    assert not wrapped.records.exists()
