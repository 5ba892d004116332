"""What workers do together is what one alone would do: no user, no request and no connection more or less."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.schedule import offsets_ns
from scenarios.specification import (
    Address,
    Arrivals,
    Download,
    HangUp,
    Load,
    Others,
    SlowReader,
    TrialSpecification,
    from_message,
    to_message,
)
from scenarios.workers.sharing import shares


def asked(load: Load, others: TrialSpecification | None = None) -> TrialSpecification:
    return TrialSpecification(
        address=Address("127.0.0.1", 1, "GET", "/", (), timeout_s=1, keep_alive=True),
        name="a case",
        load=load,
        warmup_s=1,
        window_s=4,
        status=200,
        body_bytes=1,
        digest=None,
        schedule_seed="7/0/arrivals",
        others=others,
    )


@given(users=st.integers(1, 200), workers=st.integers(1, 30))
@pytest.mark.parametrize("kind", [Download, SlowReader, HangUp])
def test_users_are_divided_evenly(kind: type, users: int, workers: int) -> None:
    load = kind(users, *{SlowReader: (1000,), HangUp: (0.5, 1.0)}.get(kind, ()))
    parts = shares(asked(load), workers)
    counts = [part.load.users for part in parts if not isinstance(part.load, Arrivals)]
    assert sum(counts) == users
    assert max(counts) - min(counts) <= 1
    assert len(parts) == min(users, workers)
    assert all(from_message(to_message(part)) == part for part in parts)


@given(rate=st.floats(1, 300), most=st.integers(1, 50), workers=st.integers(1, 12))
def test_every_request_of_a_schedule_is_sent_by_one_worker(rate: float, most: int, workers: int) -> None:
    specification = asked(Arrivals(rate, "poisson", most))
    whole = list(offsets_ns("poisson", rate, 5, specification.schedule_seed))
    parts = shares(specification, workers)
    sent = [whole[part.part :: part.parts] for part in parts]
    assert sorted(instant for share in sent for instant in share) == whole
    assert sum(part.load.most_in_flight for part in parts if isinstance(part.load, Arrivals)) == most


@given(users=st.integers(1, 20), workers=st.integers(1, 12))
def test_what_others_ask_is_shared_by_those_who_stream(users: int, workers: int) -> None:
    others = Others(20, 1, 1)
    beside = asked(Arrivals(others.rate, "poisson", others.most_in_flight))
    parts = shares(asked(Download(users), beside), workers)
    assert [(part.others.part, part.others.parts) for part in parts if part.others] == [
        (number, len(parts)) for number in range(len(parts))
    ]
    loads = [part.others.load for part in parts if part.others]
    most = [load.most_in_flight for load in loads if isinstance(load, Arrivals)]
    assert len(most) == len(parts)
    assert min(most) >= 1
    assert sum(most) >= others.most_in_flight
