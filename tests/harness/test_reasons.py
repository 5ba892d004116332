"""Why the load of a trial does not count."""

from __future__ import annotations

import numpy as np
import pytest

from harness.serving import last_words
from harness.trial import reason_of
from results.records import COLUMN, REQUEST_FIELDS, LoadRecord, Outcome

SECOND_NS = 1_000_000_000


def load(
    *sent_s: float, outcome: Outcome = Outcome.VERIFIED, wall_s: float = 1.0, **errors: int
) -> LoadRecord:
    """A window from 1 s to 2 s, and a request of 0.1 s for each instant."""
    requests = np.zeros((len(sent_s), len(REQUEST_FIELDS)), dtype=np.int64)
    for row, at in zip(requests, sent_s, strict=True):
        row[COLUMN["sent_ns"]] = at * SECOND_NS
        row[COLUMN["last_ns"]] = (at + 0.1) * SECOND_NS
        row[COLUMN["outcome"]] = outcome
    wall_ns = round(wall_s * SECOND_NS)
    return LoadRecord(SECOND_NS, 2 * SECOND_NS, 3 * SECOND_NS, requests, errors, 0, wall_ns)


def test_a_load_of_verified_requests_counts() -> None:
    assert reason_of(load(0.9, 1.0, 1.5)) is None


def test_one_failure_is_one_too_many_and_is_named() -> None:
    reason = reason_of(load(1.1, 1.2, outcome=Outcome.WRONG_BYTES, flipped=2))
    assert reason == "2 of 2 responses failed; 2 times: flipped"


@pytest.mark.parametrize("sent", [[], [0.5], [0.5, 2.5]])
def test_nothing_sent_inside_the_window_is_no_figure(sent: list[float]) -> None:
    reason = reason_of(load(*sent))
    assert reason
    assert "no request was sent inside the window" in reason
    assert "longer" in reason or "as long" in reason


def test_a_driver_that_was_held_up_did_not_measure_its_window() -> None:
    reason = reason_of(load(1.5, wall_s=1.2))
    assert reason
    assert "held up" in reason
    assert "1.2 s" in reason
    assert reason_of(load(1.5, wall_s=1.04)) is None


def test_the_server_s_last_words_are_its_last_three_lines() -> None:
    assert last_words("") == ""
    assert last_words("one\ntwo\n three\nfour\n") == "; the server's last words: two | three | four"
