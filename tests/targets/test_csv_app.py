import lzma
from functools import cache
from pathlib import Path

import pytest

from targets import flights
from targets.csv_app import app


@cache
def source_lines() -> list[bytes]:
    packed = Path(flights.__file__).parent / "data" / "flights.csv.xz"
    return lzma.decompress(packed.read_bytes()).splitlines()


def truth(total: int) -> bytes:
    """The source holds nothing to quote, so that its lines are those of the response."""
    return b"".join(line + b"\r\n" for line in source_lines()[: total + 1])


def chunks(url: str) -> list[bytes]:
    """The body as the app yields it, chunk by chunk."""
    answer = app.test_client().get(url, buffered=False)
    assert answer.status_code == 200
    return list(answer.iter_encoded())


FORMS = [
    "/csv?",
    *(f"/csv/rows?rows={rows}&" for rows in (1, 5, 50, 500, 5_000)),
    *(f"/csv/bytes?bytes={size}&" for size in (1_024, 65_536, 1_048_576)),
    "/csv/context?",
]


@pytest.mark.parametrize("total", [0, 1, 499, 500, 501, 3_000])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_sends_the_same_bytes(form: str, total: int) -> None:
    assert b"".join(chunks(f"{form}total={total}")) == truth(total)


@pytest.mark.parametrize("form", FORMS)
def test_20_000_rows_unless_asked_for(form: str) -> None:
    assert b"".join(chunks(form)) == truth(20_000)


@pytest.mark.parametrize("form", FORMS)
def test_a_response_is_csv_and_only_the_whole_one_knows_its_length(form: str) -> None:
    with app.test_client().get(f"{form}total=10", buffered=False) as answer:
        assert answer.content_type == "text/csv; charset=utf-8"
        length = str(len(truth(10))) if form == "/csv?" else None
        assert answer.headers.get("Content-Length") == length


@pytest.mark.parametrize("rows", [1, 7, 500, 5_000])
def test_a_chunk_holds_the_rows_asked_for_and_the_first_the_header_too(rows: int) -> None:
    *full, last = [chunk.count(b"\r\n") for chunk in chunks(f"/csv/rows?rows={rows}&total=1234")]
    header = 1
    if full:
        assert full == [rows + header] + [rows] * (len(full) - 1)
        header = 0
    assert last == (1234 % rows or rows) + header


def test_no_empty_chunk_at_the_end() -> None:
    assert len(chunks("/csv/rows?rows=500&total=1000")) == 2
    assert all(chunks("/csv/bytes?bytes=1024&total=1000"))
    assert chunks("/csv/rows?total=0") == chunks("/csv/bytes?total=0") == [truth(0)]


@pytest.mark.parametrize("size", [1_024, 65_536])
def test_a_chunk_holds_about_the_bytes_asked_for(size: int) -> None:
    *full, last = chunks(f"/csv/bytes?bytes={size}&total=5000")
    longest_row = max(len(line) for line in source_lines()[1:]) + 2
    assert len(full) > 5
    assert all(size <= len(chunk) < size + longest_row for chunk in full)
    assert all(chunk.endswith(b"\r\n") for chunk in full)
    assert 0 < len(last) < size + longest_row


def test_the_whole_form_is_one_chunk() -> None:
    assert len(chunks("/csv?total=3000")) == 1


def test_the_context_form_streams_500_rows_a_chunk() -> None:
    counts = [chunk.count(b"\r\n") for chunk in chunks("/csv/context?total=1200")]
    assert counts == [501, 500, 200]
