import json

import pytest

from targets.flights import COLUMNS, iter_all_rows
from targets.ndjson_app import app


def chunks(url: str) -> list[bytes]:
    """The body as the app yields it, chunk by chunk."""
    answer = app.test_client().get(url, buffered=False)
    assert answer.status_code == 200
    return list(answer.iter_encoded())


FORMS = ["/ndjson?", *(f"/ndjson/rows?rows={rows}&" for rows in (1, 7, 500, 5_000))]


@pytest.mark.parametrize("total", [0, 1, 499, 500, 501])
def test_every_form_sends_the_same_bytes(total: int) -> None:
    bodies = {b"".join(chunks(f"{form}total={total}")) for form in FORMS}
    (body,) = bodies
    lines = body.decode("ascii").splitlines(keepends=True)
    assert all(line.endswith("\n") for line in lines)
    flights = [json.loads(line) for line in lines]
    assert len(flights) == total
    for flight, row in zip(flights, iter_all_rows(total), strict=True):
        told = [flight[name] for name in COLUMNS]
        assert tuple("NA" if value is None else str(value) for value in told) == row


@pytest.mark.parametrize("form", FORMS)
def test_5_000_rows_unless_asked_for(form: str) -> None:
    assert b"".join(chunks(form)).count(b"\n") == 5_000


@pytest.mark.parametrize("form", FORMS)
def test_a_response_is_ndjson_and_only_the_whole_one_knows_its_length(form: str) -> None:
    with app.test_client().get(f"{form}total=10", buffered=False) as answer:
        assert answer.content_type == "application/x-ndjson"
        length = str(len(b"".join(chunks("/ndjson?total=10")))) if form == "/ndjson?" else None
        assert answer.headers.get("Content-Length") == length


@pytest.mark.parametrize("rows", [1, 7, 500])
def test_a_chunk_holds_the_rows_asked_for(rows: int) -> None:
    *full, last = [chunk.count(b"\n") for chunk in chunks(f"/ndjson/rows?rows={rows}&total=1234")]
    assert full == [rows] * len(full)
    assert last == (1234 % rows or rows)


def test_the_whole_form_is_one_chunk() -> None:
    assert len(chunks("/ndjson?total=3000")) == 1


def test_no_rows_are_no_chunk() -> None:
    assert chunks("/ndjson/rows?total=0") == []
