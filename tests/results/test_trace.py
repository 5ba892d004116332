"""Traced trials come back from the store as they were given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from results.errors import MeasurementError
from results.store import Store
from results.trace import TRACED_FIGURES, Trace, TracedRequest, Waterfall
from tests.results.examples import SECOND, STREAM, WHOLE, run_header, trial_record

REQUEST = TracedRequest(
    number=1,
    sent_ns=100 * SECOND,
    first_body_ns=101 * SECOND,
    first_row_ns=None,
    last_ns=110 * SECOND,
    body_bytes=300,
    reads=2,
    pid=77,
    began_ns=100 * SECOND + 5,
    ended_ns=109 * SECOND,
    closed_ns=None,
    ending="raised",
    yields=3,
    yielded_bytes=300,
    memory_growth_bytes=-4096,
    peak_missed_bytes=None,
)
TRACE = Trace(
    case=STREAM.identity,
    started_utc="2031-02-03T04:05:06.789+00:00",
    reason=None,
    note="it compresses, “hard”",
    requests=[replace(REQUEST, number=0, closed_ns=111 * SECOND), REQUEST],
    figures={"delivery_lag_p50": 12.5, "close_lag": None},
    waterfall=Waterfall(
        1, np.array([[0, 5, 100], [2, 9, 300]]), np.array([[0, 10, 200, 7], [1, 12, 300, -1]])
    ),
)
FAILED = Trace(WHOLE.identity, "2031-02-03T04:05:09+00:00", "the server did not start")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(tmp_path / "run.sqlite", run_header()) as made:
        yield made


def test_a_trace_comes_back_as_it_was_given(store: Store) -> None:
    store.add_trace(TRACE)
    store.add_trace(FAILED)
    with Store.open(store.path) as again:
        assert again.traces() == [replace(TRACE, waterfall=None), FAILED]
        found = again.trace(STREAM.identity)
        assert again.trace(WHOLE.identity) == FAILED
        assert again.trace("form=none") is None
    assert found is not None
    assert replace(found, waterfall=None) == replace(TRACE, waterfall=None)
    assert found.waterfall is not None
    assert TRACE.waterfall is not None
    assert found.waterfall.request == 1
    np.testing.assert_array_equal(found.waterfall.yields, TRACE.waterfall.yields)
    np.testing.assert_array_equal(found.waterfall.reads, TRACE.waterfall.reads)


def test_no_trace_is_no_error(store: Store) -> None:
    assert store.traces() == []


def test_a_trace_is_no_trial(store: Store) -> None:
    store.add_trial(trial_record(0))
    before = store.read()
    store.add_trace(TRACE)
    assert store.read() == before
    assert store.done() == {0}


def test_a_case_is_traced_once(store: Store) -> None:
    store.add_trace(TRACE)
    with pytest.raises(MeasurementError, match="cannot write"):
        store.add_trace(TRACE)
    assert len(store.traces()) == 1


def test_every_figure_is_defined() -> None:
    text = (Path(__file__).parent.parent.parent / "docs" / "metrics.md").read_text("utf-8")
    for name, figure in TRACED_FIGURES.items():
        assert f"`{name}`" in text
        assert f"`{figure.definition}`" in text
