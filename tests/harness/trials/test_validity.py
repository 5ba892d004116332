"""Each rule by which a trial does not count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.loading.merging import corrected
from harness.servers.serving import last_words
from harness.trials.validity import broken_rules
from results.faults import Fault
from results.pss import PssSample
from results.records import COLUMN, MISSING, REQUEST_FIELDS, LoadRecord, Outcome, ServerRecord
from results.workers import WorkerShare
from scenarios.exchange import UNASKED

SECOND_NS = 1_000_000_000
MS = 1_000_000


def load(
    *sent_s: float,
    outcome: Outcome = Outcome.VERIFIED,
    wall_s: float = 1.0,
    cpu_s: float = 0.1,
    ttfb_ms: float = 10,
    lag_ms: float = 0,
    error_ms: float = 0,
    drift_ms: float | None = None,
    late_ms: float | None = None,
    **errors: int,
) -> LoadRecord:
    """A window from 1 s to 2 s, and a request of 0.1 s for each instant.

    With ``late_ms`` the instants are those of a schedule, and each request began so much after its own.
    """
    requests = np.full((len(sent_s), len(REQUEST_FIELDS)), MISSING, dtype=np.int64)
    for row, at in zip(requests, sent_s, strict=True):
        row[COLUMN["sent_ns"]] = at * SECOND_NS
        row[COLUMN["first_body_ns"]] = at * SECOND_NS + ttfb_ms * MS
        row[COLUMN["last_ns"]] = (at + 0.1) * SECOND_NS
        row[COLUMN["client_lag_ns"]] = lag_ms * MS
        row[COLUMN["stamp_error_ns"]] = error_ms * MS
        row[COLUMN["outcome"]] = outcome
        if late_ms is not None:
            row[COLUMN["intended_ns"]] = at * SECOND_NS
            row[COLUMN["late_ns"]] = late_ms * MS
            for name in ("sent_ns", "first_body_ns", "last_ns"):
                row[COLUMN[name]] += round(late_ms * MS)
    return LoadRecord(
        window_open_ns=SECOND_NS,
        window_close_ns=2 * SECOND_NS,
        drained_ns=3 * SECOND_NS,
        requests=requests,
        errors=errors,
        client_cpu_ns=round(cpu_s * SECOND_NS),
        client_wall_ns=round(wall_s * SECOND_NS),
        clock_drift_ns=None if drift_ms is None else round(drift_ms * MS),
        clock_span_ns=None if drift_ms is None else 2 * SECOND_NS,
    )


def reasons(load: LoadRecord, server: ServerRecord | None) -> list[str]:
    return [item.text for item in broken_rules(load, server)]


def server(*, steal: float | None = 0.0, throttled_ms: float | None = 0) -> ServerRecord:
    held = None if throttled_ms is None else round(throttled_ms * MS)
    return ServerRecord("sync", 0, [], [], steal, held, "", "")


def test_a_load_of_verified_requests_counts() -> None:
    assert reasons(load(0.9, 1.0, 1.5), server()) == []
    assert reasons(load(1.0), None) == []


@pytest.mark.parametrize(
    ("at_s", "took_s", "reached_ms"),
    [(0.9, 0.05, None), (2.0, 0.1, None), (0.99, 0.015, 5), (1.5, 0.002, 502)],
)
def test_pss_may_not_be_read_inside_the_window(at_s: float, took_s: float, reached_ms: int | None) -> None:
    sample = PssSample(round(at_s * SECOND_NS), round(took_s * SECOND_NS), 1)
    found = reasons(load(1.0), replace(server(), pss_samples=[sample]))
    told = [f"a reading of the server's PSS reached {reached_ms} ms into the window"]
    assert found == (told if reached_ms else [])


def test_one_failure_is_one_too_many_and_is_named() -> None:
    (reason,) = reasons(load(1.1, 1.2, outcome=Outcome.WRONG_BYTES, flipped=2), server())
    assert reason == "2 of 2 responses failed; 2 times: flipped"


@pytest.mark.parametrize("sent", [[], [0.5], [0.5, 2.5]])
def test_nothing_sent_inside_the_window_is_no_figure(sent: list[float]) -> None:
    (reason,) = reasons(load(*sent), server())
    assert "no request was sent inside the window" in reason
    assert "ten times as long" in reason


BROKEN = {
    "held up": (load(1.5, wall_s=1.2), server(), load(1.5, wall_s=1.04), server()),
    "91% of its core": (load(1.5, cpu_s=0.91), server(), load(1.5, cpu_s=0.89), server()),
    "more than 1 ms late": (load(1.5, late_ms=1.1), server(), load(1.5, late_ms=0.9), server()),
    "more than 5 ms late": (
        load(1.5, late_ms=5.1, ttfb_ms=100),
        server(),
        load(1.5, late_ms=4.9, ttfb_ms=100),
        server(),
    ),
    "stepped by -3 ms": (load(1.5, drift_ms=-3), server(), load(1.5, drift_ms=1), server()),
    "took 11%": (load(1.5), server(steal=0.11), load(1.5), server(steal=0.09)),
    "held the processes back for 5 ms": (load(1.5), server(throttled_ms=5), load(1.5), server()),
}


@pytest.mark.parametrize("reason", BROKEN)
def test_each_rule_is_broken_beyond_its_limit_and_kept_below(reason: str) -> None:
    bad, bad_server, good, good_server = BROKEN[reason]
    (told,) = reasons(bad, bad_server)
    assert reason in told
    assert reasons(good, good_server) == []


def scheduled(late: int, of: int, *, late_ms: float = 50, first_s: float = 1.0) -> LoadRecord:
    """So many requests of a schedule, the first ones late."""
    record = load(*[first_s + number / of / 2 for number in range(of)], late_ms=0)
    record.requests[:late, COLUMN["late_ns"]] = late_ms * MS
    return record


def test_more_late_starts_than_chance_lets_be_beyond_a_p99_are_not_borne() -> None:
    assert reasons(scheduled(3, 100), server()) == []
    (told,) = reasons(scheduled(4, 100), server())
    assert told == (
        "4 of 100 scheduled requests began more than 1 ms late (more than 1%): the load driver could not "
        "keep up; make the rate smaller, or most_in_flight greater if all connections were in use"
    )
    assert reasons(scheduled(12, 1000), server()) == []
    assert len(reasons(scheduled(17, 1000), server())) == 1


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("client_lag_ns", "4 of 100 first bytes were read more than 5 ms after they had arrived"),
        ("stamp_error_ns", "4 of 100 first bytes may have arrived more than 5 ms before their stamp"),
    ],
)
def test_first_bytes_that_were_read_late_or_stamped_unsurely(field: str, words: str) -> None:
    """5% of a TTFB of 100 ms; one hiccup in a hundred is no p99."""
    record = load(*[1.0 + number / 200 for number in range(100)], ttfb_ms=100)
    record.requests[:4, COLUMN[field]] = 4.9 * MS
    assert reasons(record, server()) == []
    record.requests[:3, COLUMN[field]] = 5.1 * MS
    assert reasons(record, server()) == []
    record.requests[:4, COLUMN[field]] = 5.1 * MS
    (told,) = reasons(record, server())
    assert told.startswith(words)


def test_late_starts_of_the_warm_up_are_borne() -> None:
    """The first half of these are from before the window, and all of them late."""
    record = scheduled(50, 100, first_s=0.75)
    assert (
        record.requests[49, COLUMN["intended_ns"]] < SECOND_NS <= record.requests[50, COLUMN["intended_ns"]]
    )
    assert reasons(record, server()) == []


def test_a_request_that_waited_until_after_the_window_is_one_of_the_window() -> None:
    (told,) = reasons(load(1.5, late_ms=900), server())
    assert told.startswith("1 of 1 scheduled requests began more than 1 ms late")


def test_a_request_that_never_began_is_a_late_one() -> None:
    record = load(1.5, late_ms=900, outcome=Outcome.TIMED_OUT, silent=1)
    for name in ("sent_ns", "first_body_ns", "last_ns"):
        record.requests[:, COLUMN[name]] = MISSING
    failed, late = reasons(record, server())
    assert failed.startswith("1 of 1 responses failed")
    assert late.startswith("1 of 1 scheduled requests")


def test_all_broken_rules_are_told() -> None:
    told = reasons(load(1.5, cpu_s=0.95, drift_ms=9), server(steal=0.5))
    assert len(told) == 3


def test_what_the_machine_does_not_tell_breaks_no_rule() -> None:
    unstamped = load(1.5, lag_ms=MISSING / MS, error_ms=MISSING / MS)
    assert reasons(unstamped, server(steal=None, throttled_ms=None)) == []


def test_first_bytes_without_a_stamp_among_others_that_have_one() -> None:
    mixed = load(*[1.5] * 100)
    mixed.requests[:5, COLUMN["client_lag_ns"]] = MISSING
    (told,) = reasons(mixed, server())
    assert told.startswith("5 of 100 first bytes have no stamp of the kernel")
    mixed.requests[1:5, COLUMN["client_lag_ns"]] = 0
    assert reasons(mixed, server()) == []


def test_a_small_step_is_told_by_where_the_clock_was_at_the_window_s_edges() -> None:
    seen = replace(load(1.5, drift_ms=-0.9), clock_bend_ns=round(0.8 * MS))
    assert any("0.8 ms off an even drift" in why for why in reasons(seen, server()))
    assert reasons(replace(seen, clock_bend_ns=round(0.05 * MS)), server()) == []


def test_a_first_byte_before_its_request_is_no_figure() -> None:
    seen = load(1.2, 1.5)
    seen.requests[0, COLUMN["first_body_ns"]] = seen.requests[0, COLUMN["sent_ns"]] - 1
    assert any("1 of 2 first bytes came before their requests" in why for why in reasons(seen, server()))


@pytest.mark.parametrize(
    ("drift_ms", "text", "fault"),
    [
        (-50.0, UNASKED, Fault.MACHINE_DISTURBED),
        (None, UNASKED, Fault.RESPONSES_FAILED),
        (-50.0, "status 500 instead of 200", Fault.RESPONSES_FAILED),
    ],
)
def test_responses_that_a_stepped_clock_made_fail_are_no_fault_of_the_server(
    drift_ms: float | None, text: str, fault: Fault
) -> None:
    seen = load(1.2, 1.5, outcome=Outcome.MALFORMED, drift_ms=drift_ms, **{text: 2})
    assert broken_rules(seen, None)[0].fault is fault


def test_a_slewed_clock_is_corrected_evenly() -> None:
    requests = load(1.0, 1.5, 2.0).requests
    requests[:, COLUMN["first_row_ns"]] = MISSING
    answer = {"clock_drift_ns": 400_000, "clock_span_ns": SECOND_NS, "clock_begun_ns": SECOND_NS}
    after = corrected(requests.copy(), answer)
    shifts = requests[:, COLUMN["last_ns"]] - after[:, COLUMN["last_ns"]]
    assert shifts.tolist() == [40_000, 240_000, 440_000]
    assert (after[:, COLUMN["first_row_ns"]] == MISSING).all()
    assert (after[:, COLUMN["sent_ns"]] == requests[:, COLUMN["sent_ns"]]).all()


def test_the_server_s_last_words_are_its_last_three_lines() -> None:
    assert last_words("") == ""
    assert last_words("one\ntwo\n three\nfour\n") == "; the server's last words: two | three | four"


def share(worker: int, place: str, cpu_s: float, **changes: object) -> WorkerShare:
    given = {
        "worker": worker,
        "requests": 10,
        "client_cpu_ns": round(cpu_s * SECOND_NS),
        "client_wall_ns": SECOND_NS,
        "clock_drift_ns": 0,
        "clock_span_ns": SECOND_NS,
        "client_scheduling": "SCHED_FIFO",
        "offset_ns": 0,
        "offset_bound_ns": 0,
        "clock_bend_ns": 0,
        "name": f"far/{worker}",
        "place": place,
    }
    return WorkerShare(**given | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ([share(0, "core 3 of far", 0.5), share(1, "core 2 of far", 0.89)], None),
        ([share(0, "core 3 of far", 0.5), share(1, "core 2 of far", 0.91)], "worker far/1 used 91%"),
        (
            [share(0, "core 3 of far", 0.5), share(1, "core 3 of far", 0.45)],
            "workers far/0 and far/1 used 95%",
        ),
        ([share(0, "a", 0.1), share(1, "b", 0.1, client_wall_ns=2 * SECOND_NS)], "worker far/1 was held up"),
        (
            [share(0, "a", 0.1), share(1, "b", 0.1, clock_drift_ns=SECOND_NS)],
            "worker far/1: the system clock was stepped by 1e+03 ms",
        ),
    ],
)
def test_each_worker_is_judged_by_itself_and_a_core_by_all_that_share_it(
    shares: list[WorkerShare], said: str | None
) -> None:
    record = replace(load(1.0), workers=shares)
    found = reasons(record, None)
    if said is None:
        assert found == []
    else:
        assert len(found) == 1
        assert said in found[0]
