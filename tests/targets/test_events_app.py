import json
from itertools import count

import pytest

from targets.events_app import app
from targets.flights import iter_all_rows
from targets.flights_json import flight_json


def chunks(url: str) -> list[bytes]:
    """The body as the app yields it, chunk by chunk."""
    answer = app.test_client().get(url, buffered=False)
    assert answer.status_code == 200
    return list(answer.iter_encoded())


def events(body: bytes) -> list[dict[str, str]]:
    """The fields of each event, by the rules of the WHATWG for what has LF line ends and no comments."""
    *blocks, rest = body.decode("ascii").split("\n\n")
    assert rest == ""
    return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]


FORMS = ["/events?", *(f"/events/stream?events={number}&" for number in (1, 10, 5_000))]


@pytest.mark.parametrize("total", [0, 1, 9, 10, 11, 300])
def test_every_form_sends_the_same_events(total: int) -> None:
    bodies = {b"".join(chunks(f"{form}total={total}")) for form in FORMS}
    (body,) = bodies
    *flights, end = events(body)
    assert len(flights) == total
    for number, flight, row in zip(count(1), flights, iter_all_rows(total), strict=False):
        assert flight == {"id": str(number), "event": "flight", "data": flight_json(row)}
    assert end["event"] == "end"
    assert json.loads(end["data"]) == {"flights": total}


@pytest.mark.parametrize("form", FORMS)
def test_2_000_flights_unless_asked_for(form: str) -> None:
    assert len(events(b"".join(chunks(form)))) == 2_001


@pytest.mark.parametrize("number", [1, 7, 100])
def test_a_chunk_holds_the_events_asked_for_and_none_is_cut(number: int) -> None:
    *full, last = [len(events(chunk)) for chunk in chunks(f"/events/stream?events={number}&total=300")]
    assert full == [number] * len(full)
    assert last == (301 % number or number)


def test_one_event_a_chunk_unless_asked_for() -> None:
    assert len(chunks("/events/stream?total=20")) == 21


def test_the_stream_tells_caches_and_proxies_to_keep_out_of_it() -> None:
    with app.test_client().get("/events/stream?total=3", buffered=False) as answer:
        assert answer.content_type == "text/event-stream; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["X-Accel-Buffering"] == "no"
        assert "Content-Length" not in answer.headers


def test_the_whole_form_knows_its_length_and_may_be_buffered() -> None:
    with app.test_client().get("/events?total=3", buffered=False) as answer:
        assert answer.content_type == "text/event-stream; charset=utf-8"
        assert answer.headers["Content-Length"] == str(len(b"".join(chunks("/events?total=3"))))
        assert "X-Accel-Buffering" not in answer.headers
    assert len(chunks("/events?total=300")) == 1
