"""Small requests beside streams, and slow readers, through the real driver against servers of known truth."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import xxhash

from analysis.trial.figures import figures_of_trial
from analysis.trial.others import alone, beside_streams, waits_ns
from harness.loading.load import LoadDriver
from harness.trials.validity import broken_rules
from results.records import COLUMN, LoadRecord, OthersRecord, Outcome
from scenarios.schedule import offsets_ns
from scenarios.specification import (
    Address,
    Arrivals,
    Download,
    Load,
    SlowReader,
    TrialSpecification,
    from_message,
    to_message,
)
from tests.synthetic.holding import SMALL, HoldingServer, holding

ALONE_S, WARMUP_S, WINDOW_S = 0.5, 0.1, 0.9
RATE = 60


def specification(
    server: HoldingServer, load: Load, *, patience_s: float = 5.0, small: bytes = SMALL
) -> TrialSpecification:
    def asked(path: str, body: bytes, load: Load, warmup_s: float, timeout_s: float) -> dict[str, object]:
        return {
            "address": Address(server.host, server.port, "GET", path, (), timeout_s, keep_alive=False),
            "name": path,
            "load": load,
            "warmup_s": warmup_s,
            "window_s": WINDOW_S,
            "status": 200,
            "body_bytes": len(body),
            "digest": xxhash.xxh3_64_intdigest(body),
            "schedule_seed": "5/1",
        }

    others = asked("/small", small, Arrivals(RATE, "constant", 500), ALONE_S + WARMUP_S, patience_s)
    streams = asked("/big", server.body, load, WARMUP_S, 20.0)
    return TrialSpecification(**streams, others=TrialSpecification(**others))  # type: ignore[arg-type]


def measured(
    driver: LoadDriver, server: HoldingServer, load: Load, **given: object
) -> tuple[LoadRecord, OthersRecord, dict[str, float]]:
    record = driver.run(specification(server, load, **given))  # type: ignore[arg-type]
    assert record.others is not None
    found = figures_of_trial(record, None)
    return record, record.others, {name: value for name, value in found.items() if value is not None}


def test_a_message_has_all_of_what_is_asked_beside_it() -> None:
    asked = specification(HoldingServer(1, 1.0, 5), SlowReader(3, 2048), patience_s=0.25)
    assert from_message(to_message(asked)) == asked


def test_who_comes_while_the_one_worker_is_held_waits_for_as_long_as_it_still_is(driver: LoadDriver) -> None:
    with holding(hold_s=0.4, alone=True) as server:
        record, others, figures = measured(driver, server, Download(1))
    assert {int(value) for value in record.requests[:, COLUMN["outcome"]]} == {Outcome.VERIFIED}
    wanted, waited = others.requests[:, COLUMN["intended_ns"]], waits_ns(others.requests, others)
    for begin, end in server.held_ns:
        inside = (wanted > begin) & (wanted < end)
        assert (waited[inside] >= end - wanted[inside]).all()
    longest = max(end - begin for begin, end in server.held_ns if begin < record.window_close_ns)
    # others come 17 ms apart, and the window cuts off the last hold
    assert 0.5 * longest < figures["worker_held"] < 1.5 * longest
    assert figures["others_ttlb_p50"] > 0.05e9 > 5 * figures["others_alone_ttlb_p50"]
    assert figures["others_unanswered"] == 0


def test_who_comes_to_a_server_with_a_worker_for_everybody_does_not_wait(driver: LoadDriver) -> None:
    with holding(hold_s=0.4, alone=False) as server:
        record, _, figures = measured(driver, server, Download(2))
    assert len(server.held_ns) == len(record.requests) >= 4
    assert figures["others_ttlb_p50"] < 0.1e9
    assert figures["others_unanswered"] == 0


def test_they_come_on_schedule_alone_first_and_get_among_no_stream_s_records(driver: LoadDriver) -> None:
    with holding(hold_s=0.1, alone=False) as server:
        record, others, figures = measured(driver, server, Download(1))
    span_s = ALONE_S + WARMUP_S + WINDOW_S
    planned = [others.begin_ns + at for at in offsets_ns("constant", RATE, span_s, "")]
    assert sorted(others.requests[:, COLUMN["intended_ns"]].tolist()) == planned
    assert others.streams_begin_ns - others.begin_ns == round(ALONE_S * 1e9)
    assert record.requests[:, COLUMN["sent_ns"]].min() >= others.streams_begin_ns
    assert set(record.requests[:, COLUMN["body_bytes"]].tolist()) == {len(server.body)}
    assert set(others.requests[:, COLUMN["body_bytes"]].tolist()) == {len(SMALL)}
    assert len(record.requests) == len(server.held_ns)
    assert figures["throughput"] < 1.2 * len(server.body) * len(record.requests) / WINDOW_S
    assert len(alone(others)) == pytest.approx(0.8 * ALONE_S * RATE, abs=1)
    assert len(beside_streams(record, others)) == pytest.approx(WINDOW_S * RATE, abs=1)


def test_who_is_given_up_is_no_fast_answer_and_no_reason_to_doubt_the_trial(driver: LoadDriver) -> None:
    with holding(hold_s=0.6, alone=True) as server:
        record, others, figures = measured(driver, server, Download(1), patience_s=0.15)
    beside = beside_streams(record, others)
    outcomes = Counter(beside[:, COLUMN["outcome"]].tolist())
    assert outcomes[Outcome.TIMED_OUT] > outcomes[Outcome.VERIFIED]
    assert figures["others_unanswered"] == outcomes[Outcome.TIMED_OUT] / len(beside)
    assert figures["others_ttlb_p50"] == figures["others_ttlb_p95"] == 0.15e9
    assert figures["worker_held"] > 0.3e9  # though nobody waited longer than half of that
    assert others.errors["no complete response within 0.15 s"] >= outcomes[Outcome.TIMED_OUT]
    assert not record.errors
    assert not [
        reason
        for reason in [item.text for item in broken_rules(record, None)]
        if "answer" in reason or "failed" in reason
    ]


def test_others_that_are_answered_wrongly_while_alone_spoil_the_trial(driver: LoadDriver) -> None:
    with holding(hold_s=0.1, alone=False) as server:
        record, others, figures = measured(driver, server, Download(1), small=b"t" * len(SMALL))
    assert set(others.requests[:, COLUMN["outcome"]].tolist()) == {Outcome.WRONG_BYTES}
    assert figures["others_unanswered"] == 1
    assert figures["others_ttlb_p50"] == others.patience_ns
    assert any(
        "had no answer before there was any stream" in reason
        for reason in [item.text for item in broken_rules(record, None)]
    )


def test_a_slow_reader_keeps_its_pace_until_the_window_closes_and_then_gets_all(driver: LoadDriver) -> None:
    # 100 KiB/s of 10 MB, which are there at once: a minute and a half, were it not let go
    with holding(hold_s=0.0, pieces=1000, alone=False) as server:
        record, _, figures = measured(driver, server, SlowReader(2, 102_400))
    assert record.requests[:, COLUMN["outcome"]].tolist() == [Outcome.VERIFIED] * 2
    at_open, at_close = (record.requests[:, COLUMN[f"bytes_at_{edge}"]] for edge in ("open", "close"))
    taken = (at_close - at_open) / WINDOW_S
    assert (np.abs(taken / 102_400 - 1) < 0.15).all()
    assert (record.requests[:, COLUMN["last_ns"]] > record.window_close_ns).all()
    assert record.drained_ns - record.window_close_ns < 5e9
    # the server could not hand over what the reader did not take: it was held for all that time
    assert all(end > record.window_close_ns for _, end in server.held_ns)
    assert not {"throughput", "requests_per_second", "ttlb_p50", "stall_max_p50"} & figures.keys()
    assert not [
        reason
        for reason in [item.text for item in broken_rules(record, None)]
        if "inside the window" in reason
    ]


def test_a_slow_reader_asks_again_when_it_has_taken_all(driver: LoadDriver) -> None:
    with holding(hold_s=0.0, pieces=2, alone=False) as server:
        record, _, figures = measured(driver, server, SlowReader(1, 102_400))
    # 20,000 bytes take a fifth of a second
    assert 4 <= len(record.requests) <= 1 + (WARMUP_S + WINDOW_S) * 102_400 / 18_000
    assert set(record.requests[:, COLUMN["outcome"]].tolist()) == {Outcome.VERIFIED}
    assert figures["ttfb_p50"] < 0.1e9
