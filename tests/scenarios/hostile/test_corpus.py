"""Each named response is called what it is, however its bytes are cut into reads."""

from __future__ import annotations

import pytest

from results.records import Outcome
from scenarios.exchange import Exchange
from tests.scenarios.hostile.corpus import BROKEN, VALID, Sent, cut_off
from tests.scenarios.hostile.feeding import BODY, cut, fed

_SHORT_BYTES = 3000


def answered(sent: Sent, read_bytes: int) -> Exchange:
    reads = cut(sent.wire, range(0, len(sent.wire), read_bytes))
    bodiless = sent.method == "HEAD" or sent.status in {204, 304}
    return fed(reads, method=sent.method, status=sent.status, body=b"" if bodiless else BODY)


def read_sizes(sent: Sent) -> list[int]:
    return [1, 2, 7, len(sent.wire) + 1] if len(sent.wire) < _SHORT_BYTES else [1460, 262_144]


@pytest.mark.parametrize("name", VALID)
def test_a_valid_response_counts(name: str) -> None:
    for size in read_sizes(VALID[name]):
        exchange = answered(VALID[name], size)
        assert (exchange.outcome, exchange.error) == (Outcome.VERIFIED, ""), size


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_response_is_called_what_it_is(name: str) -> None:
    sent, outcome = BROKEN[name]
    for size in read_sizes(sent):
        exchange = answered(sent, size)
        assert exchange.outcome is outcome, (size, exchange.error)
        assert exchange.error
        assert len(exchange.error) < 300


def test_a_response_that_is_cut_off_at_any_byte_does_not_count() -> None:
    for name, sent, outcomes in cut_off():
        exchange = answered(sent, len(sent.wire) + 1)
        assert exchange.outcome in outcomes, (name, exchange.error)
