"""Two thousand broken responses, each another one: none counts, and how its bytes are cut changes nothing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.conformance.wire import End, NotHttp, Response
from results.records import Outcome
from tests.scenarios.hostile.feeding import BODY, cut, fed
from tests.scenarios.hostile.grammar import CUTS, Message, broken_responses, messages, plain


@settings(max_examples=200)
@given(messages(), CUTS)
def test_a_valid_response_counts_however_it_is_cut(message: Message, places: list[int]) -> None:
    exchange = fed(cut(message.wire(), places))
    assert (exchange.outcome, exchange.error) == (Outcome.VERIFIED, "")


@settings(max_examples=2000)
@given(broken_responses(), CUTS)
def test_a_broken_response_never_counts(broken: tuple[str, bytes, Outcome], places: list[int]) -> None:
    fault, wire, outcome = broken
    seen = [fed(cut(wire, where)) for where in ([], places)]
    assert [exchange.outcome for exchange in seen] == [outcome] * 2, (
        fault,
        wire,
        seen[0].error,
        seen[1].error,
    )


@settings(max_examples=500)
@given(
    messages().map(plain).map(Message.wire),
    st.lists(
        st.tuples(st.integers(0, 10**6), st.binary(max_size=2), st.integers(0, 2)), min_size=1, max_size=3
    ),
    CUTS,
)
def test_what_counts_is_what_another_reader_takes_for_the_same(
    wire: bytes, changes: list[tuple[int, bytes, int]], places: list[int]
) -> None:
    """Any bytes of it are changed: many of these responses are still right, and only those count."""
    for place, put, drop in changes:
        at = place % len(wire)
        wire = wire[:at] + put + wire[at + drop :]
    outcome = fed(cut(wire, [])).outcome
    assert fed(cut(wire, places)).outcome is outcome
    if outcome is Outcome.VERIFIED:
        assert another_s(wire) == (200, BODY, b"")


def another_s(wire: bytes) -> tuple[int, bytes, bytes]:
    """Status, body and what is behind the end, as `conform` reads them."""
    response = Response("GET", "1.1")
    try:
        response.feed(wire, 0)
    except NotHttp:
        return 0, b"", b""
    response.close(End.CLOSED)
    return response.status if response.whole else 0, bytes(response.body), bytes(response.surplus)
