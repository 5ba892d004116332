"""Files, JSON lines and server-sent events through the real harness, on several servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.conduct import verify
from harness.programs.cores import Cores
from harness.suites.file import load_suite, parse_suite
from harness.suites.matrix import PlannedCase, cases_of
from harness.trials.tracing import CaseTracer
from harness.trials.verify import address_of
from harness.trials.workshop import Workshop, workshop
from results.records import Verification
from results.trace import Trace
from scenarios.client import Request
from targets.flights import ensure_loaded
from targets.flights_file import file_of
from tests.harness.examples import Untold

KINDS = ["gunicorn", "waitress", "uwsgi", "cheroot"]


@pytest.fixture(scope="module")
def shop() -> Iterator[Workshop]:
    ensure_loaded()
    with workshop(Cores()) as made:
        yield made


def planned(suite: str, kind: str, total: int) -> dict[str, PlannedCase]:
    """The cases of a built-in suite on another server, by what tells them apart, with a smaller response."""
    text = load_suite(suite).text
    at = text.index("[[server]]")
    lines = [f"total = {total}" if line.startswith("total =") else line for line in text[:at].splitlines()]
    server = f'[[server]]\nkind = "{kind}"\n[[scenario]]\nkind = "download"\nusers = 1\n'
    cases = cases_of(parse_suite("\n".join(lines) + "\n" + server, f"{suite}.toml", None))
    return {name_of(case): case for case in cases}


def name_of(case: PlannedCase) -> str:
    parameters = case.case.parameters
    knobs = [f"{key}={parameters[key]}" for key in ("rows", "events", "bytes") if key in parameters]
    return " ".join([str(parameters["target"]), str(parameters["form"]), *knobs])


def verified(shop: Workshop, cases: dict[str, PlannedCase]) -> dict[str, Verification]:
    found = verify({case.case.identity: case for case in cases.values()}, shop, Untold())
    return {name: found[case.case.identity] for name, case in cases.items()}


def traced(shop: Workshop, case: PlannedCase, expected: Verification) -> Trace:
    tracer = CaseTracer(shop)
    trace = tracer(case, expected)
    assert trace.reason is None
    for request in trace.requests:
        assert request.first_body_ns is not None
        assert request.first_row_ns is not None
        assert request.sent_ns < request.first_body_ns <= request.first_row_ns <= request.last_ns
        assert request.closed_ns is not None
        assert (request.ending, request.yielded_bytes) == ("exhausted", request.body_bytes)
    return trace


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_verified_and_traced(shop: Workshop, kind: str) -> None:
    rows = 5_000
    cases = planned("files", kind, rows)
    found = verified(shop, cases)
    size = file_of(rows).stat().st_size
    assert {(item.body_bytes, item.framing, item.chunks) for item in found.values()} == {
        (size, "length", None)
    }
    assert len({item.digest for item in found.values()}) == 1

    name = "file.csv send_file"
    trace = traced(shop, cases[name], found[name])
    # Cheroot has no wrapper of its own, and nothing is lost there; all read blocks of 8 KiB in its place.
    assert ("sendfile" in (trace.note or "")) == (kind != "cheroot")
    assert trace.figures["yields"] == -(-size // 8192)
    assert trace.figures["chunk"] == 8192

    name = "file.csv blocks bytes=16384"
    trace = traced(shop, cases[name], found[name])
    assert trace.note is None
    assert (trace.figures["yields"], trace.figures["chunk"]) == (-(-size // 16384), 16384)


@pytest.mark.parametrize("kind", KINDS)
def test_lines_and_events_are_verified_and_traced(shop: Workshop, kind: str) -> None:
    cases = planned("events", kind, 200)
    found = verified(shop, cases)
    for name, yields in (
        ("flights.ndjson stream rows=1", 200),
        ("flights.ndjson stream rows=50", 4),
        ("flights.events stream events=1", 201),
        ("flights.events stream events=100", 3),
    ):
        trace = traced(shop, cases[name], found[name])
        assert (trace.note, trace.figures["yields"]) == (None, yields)
        assert (trace.figures["delivery_lag_p50"] or 0) > 0
        assert trace.figures["held"] is not None
        whole = cases[name.partition(" ")[0] + " whole"]
        assert found[name].digest == found[name_of(whole)].digest


def test_our_client_asks_for_no_part_and_on_no_condition(shop: Workshop) -> None:
    """And keeps nothing of an earlier answer: over the same connection it is answered whole again."""
    cases = planned("files", "gunicorn", 1_000)
    case = cases["file.csv send_file"]
    request = Request.to(address_of(case, 80))
    names = [line.partition(b":")[0].lower() for line in request.wire.split(b"\r\n")[1:] if line]
    assert names == [b"host"]
    found = verified(shop, {"file": case})["file"]
    assert found.status == 200
    assert len(traced(shop, case, found).requests) > 1
