"""Clients that hang up on real gunicorn workers: what the app is told, and what a suite may say of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from analysis import hang_ups
from analysis.trial.hang_ups import hang_up_trace
from analysis.trial.tracing import joined
from harness.conduct import verify
from harness.programs.cores import Cores
from harness.servers.serving import serving
from harness.suites.file import parse_suite
from harness.suites.gates import gates_of
from harness.suites.matrix import PlannedCase, cases_of
from harness.trials.ledger_file import await_ledger
from harness.trials.tracing import CaseTracer, ledger_around, specification
from harness.trials.trial import TrialMeasurer
from harness.trials.verify import VerifyFailed
from harness.trials.workshop import Workshop, workshop
from results.errors import UsageError
from results.records import COLUMN, Outcome, Slot, Verification
from results.terms import Terms
from scenarios.specification import Download, HangUp, Soak
from tests.harness.examples import ORDERS, SCENARIO, Untold, orders, suite_of

SYNTHETIC = Path(__file__).parents[2] / "synthetic"
HANG_UP = '\n[[scenario]]\nkind = "hang-up"\nusers = [1, 4]\nafter = [0.1, 0.5]\n'
SOAK = '\n[[scenario]]\nkind = "soak"\nusers = [1, 4]\n'
CLASSES = ("sync", "gthread", "gevent")
#: 200 chunks of 100 bytes, 3 ms apart; who hangs up does so after 20 of them.
PATH = "/paced?n=200&ms=3"


@pytest.fixture(scope="module")
def shop() -> Iterator[Workshop]:
    with workshop(Cores()) as made:
        yield made


def streams(path: str) -> list[PlannedCase]:
    text = f"""name = "left"
    [[target]]
    name = "left"
    app = "traced_app:app"
    directory = "."
    ready = "/whole"
    baseline = "{path}"
    stream = "{path}"
    [[server]]
    kind = "gunicorn"
    worker_class = {list(CLASSES)}
    [[scenario]]
    kind = "hang-up"
    after = 0.1
    """
    return [case for case in cases_of(parse_suite(text, "left.toml", SYNTHETIC)) if case.case.baseline]


@pytest.fixture(scope="module")
def verified(shop: Workshop) -> dict[str, tuple[PlannedCase, Verification]]:
    """By worker class."""
    cases = streams(PATH)
    found = verify({planned.case.identity: planned for planned in cases}, shop, Untold())
    return {
        str(planned.case.parameters["worker_class"]): (planned, found[planned.case.identity])
        for planned in cases
    }


@pytest.mark.parametrize("worker_class", CLASSES)
def test_the_app_is_told_the_worker_goes_on_and_all_of_it_is_in_the_table(
    shop: Workshop, verified: dict[str, tuple[PlannedCase, Verification]], worker_class: str
) -> None:
    planned, expected = verified[worker_class]
    assert (expected.body_bytes, expected.prefix_bytes) == (20_000, 2_000)
    trace = CaseTracer(shop)(planned, expected)
    assert (trace.reason, trace.note) == (None, None)
    assert trace.figures["hung_up"] == 5
    assert trace.figures["not_closed"] == trace.figures["ended_before"] == 0
    assert trace.figures["close_lag"] is not None
    assert {request.ending for request in trace.requests} == {"abandoned"}
    for request in trace.requests:
        assert 20 <= request.yields < 200
        assert request.closed_ns is not None
        assert request.closed_ns > request.last_ns
    # the next yield is the first that finds nobody; RST may still be on its way then
    assert 0 <= (trace.figures["yields_after"] or 0) <= 5

    measurer = TrialMeasurer(shop, seed=1, warmup_s=0.1, window_s=0.6)
    trial = measurer(Slot(0, 0, planned.case.identity), planned, expected)
    assert trial.load is not None
    assert {Outcome(value) for value in trial.load.requests[:, COLUMN["outcome"]]} == {Outcome.HUNG_UP}
    assert trial.figures["unserved"] == 0
    assert trial.figures["served_after_p50"] is not None
    assert trial.figures["retained"] is not None
    assert trial.figures["throughput"] is None


def test_that_close_is_never_called_is_told(
    shop: Workshop, verified: dict[str, tuple[PlannedCase, Verification]]
) -> None:
    planned, expected = verified["sync"]
    with ledger_around(planned, shop.folder) as wrapped:
        target = planned.target.model_copy(update={"app": "traced_app:unclosed"})
        variables = {**wrapped.planned.variables, "JOINED": wrapped.planned.target.served}
        with serving(
            replace(wrapped.planned, target=target, variables=variables),
            processes=shop.processes,
            folder=shop.folder,
            cores=None,
            python=shop.python,
        ) as server:
            load = shop.driver.trace(replace(specification(planned, expected, server.port), requests=2))
            sent_ns = int(load.requests[0, COLUMN["sent_ns"]])
            records = await_ledger(wrapped.records, since_ns=sent_ns, count=3, patience_s=0.3)
    items = joined(load.requests, load.reads, records)
    trace = hang_up_trace(planned.case.identity, "now", items, len(load.requests), [])
    assert (load.failure, trace.figures["not_closed"], trace.figures["close_lag"]) == (None, 1.0, None)
    assert trace.note is not None
    assert "after 2 of 2 hang-ups close() was not called" in trace.note
    assert hang_ups.trace_in_words(trace.figures).startswith("close() called after 0 of 2 hang-ups")


def test_a_response_without_a_middle_is_refused_before_anything_is_timed(shop: Workshop) -> None:
    empty = streams("/paced?n=0")[:1]
    with pytest.raises(VerifyFailed, match="its body of 0 bytes has no middle to hang up in"):
        verify({planned.case.identity: planned for planned in empty}, shop, Untold())


def test_every_list_is_an_axis_and_other_cases_keep_their_identity() -> None:
    plain, left, soaked = orders(), orders(scenario=HANG_UP), orders(scenario=SOAK)
    assert {planned.load for planned in left} == {
        HangUp(users, after, 5.0) for users in (1, 4) for after in (0.1, 0.5)
    }
    assert {planned.load for planned in soaked} == {Soak(1), Soak(4)}
    assert all(isinstance(planned.load, Download) for planned in soaked)
    identity = (
        "form=stream keep_alive=true rows=500 scenario=download server=gunicorn target=orders.csv "
        "timeout_s=30 total=100 users=1 worker_class=sync workers=1"
    )
    assert identity in {planned.case.identity for planned in plain}
    of_left = identity.replace("form", "after=0.5 form").replace("download", "hang-up")
    assert of_left in {planned.case.identity for planned in left}
    assert identity.replace("download", "soak") in {planned.case.identity for planned in soaked}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("after = 1.0", ["scenario.1.after.1", "less than 1"]),
        ("after = [0.5, 0]", ["scenario.1.after.2", "greater than 0"]),
        ("after = [0.5, 0.5]", ["scenario.1.after", "the same value twice"]),
        ('after = "half"', ["scenario.1.after.1", "number"]),
        ("after = []", ["scenario.1.after", "empty list"]),
        ('patience = "0s"', ["scenario.1.patience", "greater than 0"]),
        ("keep_alive = false", ["scenario.1.keep_alive", 'kind = "hang-up" has no use for it']),
        ("users = 0", ["scenario.1.users.1", "greater than or equal to 1"]),
    ],
)
def test_a_mistake_is_told_at_its_place(key: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as told:
        suite_of(ORDERS.replace(SCENARIO, f'\n[[scenario]]\nkind = "hang-up"\n{key}\n'))
    assert all(word in str(told.value) for word in words), told.value
    with pytest.raises(UsageError, match='kind = "soak" has no use for it, it is a key of kind = "hang-up"'):
        suite_of(ORDERS.replace(SCENARIO, SOAK + "after = 0.5\n"))


@pytest.mark.parametrize(
    ("scenario", "metric", "words"),
    [
        (HANG_UP, "throughput", "its clients leave in the middle"),
        (HANG_UP, "cpu_per_mb", "its clients leave in the middle"),
        (SOAK, "unserved", "nobody hangs up"),
    ],
)
def test_a_gate_on_what_is_not_there_is_refused(scenario: str, metric: str, words: str) -> None:
    gate = f'\n[[gate]]\ncase = "rows=500 users=4{" after=0.5" if scenario is HANG_UP else ""}"\n'
    limit = 'at_most = "1%"' if metric == "unserved" else 'at_least = "1 of baseline"'
    if metric == "cpu_per_mb":
        limit = 'at_most = "1 of baseline"'
    suite = suite_of(ORDERS.replace(SCENARIO, scenario) + f'{gate}metric = "{metric}"\n{limit}\n')
    with pytest.raises(UsageError, match=words):
        gates_of(suite, cases_of(suite), 8, Terms())
