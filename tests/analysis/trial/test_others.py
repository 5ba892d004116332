"""What streams cost others, from small requests whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from analysis.trial.figures import figures_of_trial
from results.records import MISSING, OthersRecord, Outcome
from tests.results.examples import CLOSE_NS, OPEN_NS, SECOND, load_record, request, request_array

MS = 1_000_000
STREAMS_BEGIN_NS = OPEN_NS - SECOND
BEGIN_NS = STREAMS_BEGIN_NS - SECOND


def other(intended_ns: int, waited_ns: int, **fields: int) -> dict[str, int]:
    return request(intended_ns=intended_ns, sent_ns=intended_ns, last_ns=intended_ns + waited_ns, **fields)


def given_up(intended_ns: int, outcome: Outcome = Outcome.TIMED_OUT) -> dict[str, int]:
    return request(intended_ns=intended_ns, sent_ns=intended_ns, last_ns=MISSING, outcome=outcome)


def figures(requests: Sequence[dict[str, int]]) -> dict[str, float | None]:
    others = OthersRecord(BEGIN_NS, STREAMS_BEGIN_NS, SECOND, request_array(requests), {})
    found = figures_of_trial(load_record([request()], others=others), None)
    return {name: found[name] for name in found if "others" in name or name == "worker_held"}


def test_a_wait_is_counted_from_when_it_was_wanted_and_only_inside_the_window() -> None:
    late = other(OPEN_NS, 30 * MS, late_ns=20 * MS) | {"sent_ns": OPEN_NS + 20 * MS}
    warm_up, after = other(STREAMS_BEGIN_NS, 900 * MS), other(CLOSE_NS, 900 * MS)
    found = figures([late, warm_up, after])
    assert found["others_ttlb_p50"] == 30 * MS
    assert found["others_alone_ttlb_p50"] is None


@pytest.mark.parametrize(("after_ms", "counts"), [(99, False), (100, True), (899, True), (900, False)])
def test_alone_is_the_lead_but_for_its_edges(after_ms: int, *, counts: bool) -> None:
    found = figures([other(BEGIN_NS + after_ms * MS, 3 * MS)])
    assert found["others_alone_ttlb_p50"] == (3 * MS if counts else None)
    assert found["others_ttlb_p50"] is None


def test_one_without_an_answer_counts_with_all_of_its_patience_however_it_failed() -> None:
    answered = [other(OPEN_NS + number, 5 * MS) for number in range(10)]
    for outcome in (Outcome.TIMED_OUT, Outcome.RESET, Outcome.WRONG_STATUS):
        failed = [given_up(OPEN_NS + SECOND, outcome) for _ in range(30)]
        found = figures(answered + failed)
        assert found["others_ttlb_p50"] == found["others_ttlb_p95"] == SECOND
        assert found["others_unanswered"] == 0.75
    assert figures(answered)["others_unanswered"] == 0


def test_a_p95_needs_twenty() -> None:
    some = [other(OPEN_NS, 5 * MS)] * 19
    assert figures(some)["others_ttlb_p95"] is None
    assert figures([*some, other(OPEN_NS, 5 * MS)])["others_ttlb_p95"] == 5 * MS


def test_the_worker_is_held_from_when_one_is_wanted_to_the_next_answer_of_any() -> None:
    quick = [other(OPEN_NS + number * SECOND, 2 * MS) for number in range(10)]
    assert figures(quick)["worker_held"] == 2 * MS
    # two are given up meanwhile, and who came last is answered first
    stuck = [given_up(OPEN_NS + 4 * SECOND), given_up(OPEN_NS + 5 * SECOND)]
    freed = other(OPEN_NS + 6 * SECOND, SECOND // 2)
    assert figures([*quick[:4], *stuck, freed])["worker_held"] == 2.5 * SECOND


def test_a_worker_that_is_held_beyond_the_window_is_held_to_its_end() -> None:
    never = figures([given_up(CLOSE_NS - 3 * SECOND), given_up(CLOSE_NS - SECOND)])
    assert never["worker_held"] == 3 * SECOND
    assert figures([other(CLOSE_NS - 2 * SECOND, 7 * SECOND)])["worker_held"] == 2 * SECOND


def test_a_reader_s_own_pace_is_no_figure_of_the_server() -> None:
    slow = figures_of_trial(load_record([request()] * 30, reading_bytes_per_second=1000.0), None)
    free = figures_of_trial(load_record([request()] * 30), None)
    own = {"throughput", "requests_per_second", "ttlb_p50", "ttlb_p95", "stall_max_p50", "stall_max_p95"}
    assert {name for name in free if free[name] is not None and slow[name] is None} == own
    assert all(slow[name] == free[name] for name in free.keys() - own)


def test_others_change_no_other_figure() -> None:
    alone = figures_of_trial(load_record([request()] * 30), None)
    others = OthersRecord(
        BEGIN_NS, STREAMS_BEGIN_NS, SECOND, request_array([other(OPEN_NS, MS), given_up(OPEN_NS)]), {}
    )
    beside = figures_of_trial(load_record([request()] * 30, others=others), None)
    assert {name for name in alone if alone[name] != beside[name]} == {
        "others_ttlb_p50",
        "worker_held",
        "others_unanswered",
    }
