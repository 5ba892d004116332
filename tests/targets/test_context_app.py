import pytest

from targets.context_app import app
from targets.csv_app import app as csv_app


@pytest.mark.parametrize("total", [0, 1, 500, 1_700])
def test_whole_and_stream_send_the_csv_of_the_flights(total: int) -> None:
    expected = csv_app.test_client().get(f"/csv?total={total}").data
    client = app.test_client()
    whole = client.get(f"/context?total={total}", buffered=False)
    stream = client.get(f"/context/stream?total={total}", buffered=False)
    assert whole.headers["Content-Length"] == str(len(expected))
    assert "Content-Length" not in stream.headers
    assert whole.content_type == stream.content_type == "text/csv; charset=utf-8"
    assert b"".join(whole.iter_encoded()) == expected
    chunks = list(stream.iter_encoded())
    assert b"".join(chunks) == expected
    assert len(chunks) == max(1, -(-total // 500))


def test_before_fails_at_its_first_step() -> None:
    with pytest.raises(RuntimeError, match="outside of request context"):
        app.test_client().get("/context/before", buffered=False)


def test_after_fails_at_its_second_step() -> None:
    answer = app.test_client().get("/context/after?total=1200", buffered=False)
    chunks = answer.iter_encoded()
    assert answer.status_code == 200
    assert next(chunks).count(b"\r\n") == 501
    with pytest.raises(RuntimeError, match="outside of request context"):
        next(chunks)
