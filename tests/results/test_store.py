"""The store gives back what it was given, whole trials only, in one file that anybody can read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from results.errors import MeasurementError, StoreError
from results.records import MISSING, Outcome, ProcessMemory, TrialRecord
from results.run import Run
from results.store import Store
from tests.results.examples import (
    BROKEN,
    OPEN_NS,
    SECOND,
    STREAM,
    WHOLE,
    load_record,
    process_memory,
    request,
    run_header,
    server_record,
    trial_record,
    verification,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(tmp_path / "run.sqlite", run_header()) as made:
        yield made


def read_again(store: Store) -> Run:
    with Store.open(store.path) as again:
        return again.read()


def plain(path: Path, query: str) -> list[Any]:
    """What somebody sees who has only SQLite."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def test_a_run_comes_back_as_it_was_given(store: Store) -> None:
    found = {
        WHOLE.identity: verification(
            framing="length", chunks=None, first_chunk_bytes=None, median_chunk_bytes=None
        ),
        STREAM.identity: verification(),
        BROKEN.identity: verification(status=None, body_bytes=0, failure="cut off"),
    }
    store.add_verifications(found)
    store.add_trial(trial_record(4))
    store.add_trial(trial_record(0, reason="it failed", figures={"throughput": 0.0}))
    run = read_again(store)
    assert run.header == run_header()
    assert run.verifications == found
    assert run.finished_utc is None
    assert [trial.slot for trial in run.trials] == [run_header().slots[0], run_header().slots[4]]
    assert [trial.reason for trial in run.trials] == ["it failed", None]
    kept, given = run.trials[1], trial_record(4)
    assert given.load
    assert kept.figures == given.figures
    assert kept.outcomes == {"verified": 1, "truncated": 1}
    assert kept.errors == given.load.errors
    assert kept.ran_as == "sync"
    assert (kept.started_ns, kept.finished_ns) == (given.started_ns, given.finished_ns)
    assert (kept.window_open_ns, kept.window_close_ns) == (
        given.load.window_open_ns,
        given.load.window_close_ns,
    )
    assert run.trials[0].figures == {"throughput": 0.0}


def test_raw_records_come_back_as_they_were_given(store: Store) -> None:
    trial = trial_record(3)
    assert trial.load
    assert trial.server
    store.add_trial(trial)
    with Store.open(store.path) as again:
        np.testing.assert_array_equal(again.requests(3), trial.load.requests)
        assert again.memory_samples(3) == trial.server.samples
        assert again.requests(2).shape == (0, trial.load.requests.shape[1])
        assert again.memory_samples(2) == []
        assert again.pss_samples(3) == trial.server.pss_samples
        assert again.pss_samples(2) == []
    columns = ", ".join(ProcessMemory.__slots__)
    processes = [astuple(process) for process in trial.server.processes]
    assert plain(store.path, f"SELECT {columns} FROM process WHERE position = 3 ORDER BY pid") == processes  # noqa: S608
    assert plain(
        store.path, "SELECT started_utc, server_output, server_cpu_ns, machine_steal, pss_method FROM trial"
    ) == [(trial.started_utc, trial.server_output, trial.server.cpu_ns, 0.25, "PSS of the tree")]


def test_what_is_missing_is_null_in_the_file(store: Store) -> None:
    nothing = dict.fromkeys(
        ("connected_ns", "sent_ns", "headers_ns", "first_body_ns", "first_row_ns", "last_ns", "stall_max_ns"),
        MISSING,
    )
    refused = request(
        outcome=Outcome.CONNECT_FAILED, status=MISSING, body_bytes=0, bytes_at_close=0, reads=0, **nothing
    )
    store.add_trial(
        trial_record(0, load=load_record([refused], errors={"refused": 1}), figures={"ttfb_p50": None})
    )
    columns = ", ".join([*nothing, "intended_ns", "status"])
    assert plain(store.path, f"SELECT {columns} FROM request") == [(None,) * 9]  # noqa: S608
    assert plain(store.path, "SELECT body_bytes, reads, outcome FROM request") == [(0, 0, "connect-failed")]
    assert plain(store.path, "SELECT value, unit, definition FROM figure") == [(None, "ns", "ttfb.body.v1")]


def test_a_trial_without_load_or_server_is_kept(store: Store) -> None:
    store.add_trial(
        trial_record(1, reason="no start", load=None, server=None, figures={}, server_output="boom")
    )
    (trial,) = read_again(store).trials
    assert trial.reason == "no start"
    assert trial.window_open_ns is None
    assert trial.ran_as is None
    assert not trial.figures
    assert not trial.outcomes
    assert plain(store.path, "SELECT server_output, server_cpu_ns FROM trial") == [("boom", None)]


def _unknown_figure() -> TrialRecord:
    return trial_record(1, figures={"ttfb_p50": 1.0, "no_such_figure": 1.0})


def _unknown_outcome() -> TrialRecord:
    return trial_record(1, load=load_record([request(), request(outcome=99)]))


def _two_processes_of_one_number() -> TrialRecord:
    return trial_record(1, server=server_record([process_memory(8), process_memory(8)]))


def _not_in_the_plan() -> TrialRecord:
    return trial_record(77)


@pytest.mark.parametrize(
    "bad", [_unknown_figure, _unknown_outcome, _two_processes_of_one_number, _not_in_the_plan]
)
def test_a_trial_that_fails_in_the_middle_leaves_nothing(
    store: Store, bad: Callable[[], TrialRecord]
) -> None:
    store.add_trial(trial_record(0))
    before = store.path.read_bytes()
    with pytest.raises((KeyError, MeasurementError)):
        store.add_trial(bad())
    assert store.done() == {0}
    assert store.path.read_bytes() == before
    store.add_trial(trial_record(1))
    assert [trial.slot.position for trial in read_again(store).trials] == [0, 1]


def test_verifications_are_kept_of_all_cases_or_of_none(store: Store) -> None:
    with pytest.raises(MeasurementError):
        store.add_verifications({WHOLE.identity: verification(), "no such case": verification()})
    assert not read_again(store).verifications


def test_a_position_is_measured_once(store: Store) -> None:
    store.add_trial(trial_record(2, figures={"ttfb_p50": 1.0}))
    with pytest.raises(MeasurementError, match=r"run\.sqlite.*other streamgauge"):
        store.add_trial(trial_record(2, figures={"ttfb_p50": 2.0}))
    (trial,) = read_again(store).trials
    assert trial.figures == {"ttfb_p50": 1.0}


def test_a_run_is_complete_once(store: Store) -> None:
    store.finish("first")
    store.finish("second")
    assert read_again(store).finished_utc == "first"


def test_the_store_is_one_file_at_every_moment_between_trials(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with Store.create(path, run_header()) as store:
        assert list(tmp_path.iterdir()) == [path]
        store.add_trial(trial_record(0))
        assert list(tmp_path.iterdir()) == [path]
        with Store.open(path) as reader:
            reader.read()
            assert list(tmp_path.iterdir()) == [path]
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_sees_each_trial_as_soon_as_it_is_acknowledged(store: Store) -> None:
    with Store.open(store.path) as reader:
        store.add_trial(trial_record(0))
        assert reader.done() == {0}
        store.add_trial(trial_record(3))
        assert reader.done() == {0, 3}


def test_a_read_only_store_cannot_be_written(store: Store) -> None:
    with Store.open(store.path) as reader, pytest.raises(MeasurementError):
        reader.add_trial(trial_record(0))
    assert store.done() == frozenset()


def test_a_store_can_go_on_in_another_process_s_place(store: Store) -> None:
    store.add_trial(trial_record(0))
    with Store.open(store.path, writable=True) as again:
        again.add_trial(trial_record(1))
    assert store.done() == {0, 1}


def test_a_path_may_have_any_characters(tmp_path: Path) -> None:
    path = tmp_path / "new" / "er" / "50% of? #1 é 'x'.sqlite"
    with Store.create(path, run_header()):
        pass
    with Store.open(path) as store:
        assert store.read().header.suite == "orders"
    assert list(path.parent.iterdir()) == [path]


def test_the_file_says_what_it_is(store: Store) -> None:
    assert plain(store.path, "PRAGMA application_id") == [(int.from_bytes(b"sgug", "big"),)]
    assert plain(store.path, "PRAGMA user_version") == [(4,)]
    assert plain(store.path, "PRAGMA journal_mode") == [("delete",)]


def test_an_existing_file_is_never_overwritten(store: Store) -> None:
    before = store.path.read_bytes()
    with pytest.raises(StoreError, match=r"run\.sqlite exists already.*--output"):
        Store.create(store.path, run_header())
    assert store.path.read_bytes() == before


@pytest.mark.parametrize("name", ["in/a/file.sqlite", "n" * 300 + ".sqlite"])
def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").write_text("a file where a folder must be")
    with pytest.raises(StoreError, match=r"cannot write the store .*--output"):
        Store.create(tmp_path / name, run_header())


def test_a_store_that_could_not_be_begun_is_not_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with pytest.raises(TypeError):
        Store.create(path, run_header(environment={"not for JSON": object()}))
    assert not list(tmp_path.iterdir())
    with Store.create(path, run_header()) as store:
        assert store.read().header == run_header()


def test_counting_outcomes_reads_no_requests(store: Store) -> None:
    """Those who read hundreds of stores of many megabytes depend on it."""
    store.add_trial(trial_record(0))
    plan = plain(
        store.path,
        "EXPLAIN QUERY PLAN SELECT position, outcome, count(*) FROM request GROUP BY position, outcome",
    )
    assert [row[-1] for row in plan] == ["SCAN request USING COVERING INDEX request_position"]


def test_a_store_is_read_alike_whether_or_not_every_page_was_looked_at(store: Store) -> None:
    store.add_trial(trial_record(0))
    with Store.open_unchecked(store.path) as fast, Store.open(store.path) as careful:
        assert fast.read() == careful.read()


def test_first_bytes_are_those_of_the_requests_that_figures_rest_on(store: Store) -> None:
    requests = [
        request(first_body_ns=OPEN_NS + SECOND + outcome, outcome=outcome)
        for outcome in (Outcome.VERIFIED, Outcome.HUNG_UP, Outcome.TRUNCATED)
    ]
    requests.append(request(sent_ns=OPEN_NS - SECOND))
    store.add_trial(trial_record(0, load=load_record(requests)))
    assert sorted(store.first_bytes(0).tolist()) == [Outcome.VERIFIED, Outcome.HUNG_UP]
