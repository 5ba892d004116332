import sys
from pathlib import Path

import pytest
from werkzeug.test import EnvironBuilder, TestResponse
from werkzeug.wsgi import FileWrapper

from targets import csv_chunks
from targets.file_app import app
from targets.flights import iter_all_rows
from targets.flights_file import file_of

SENT = ["/file/send?", "/file/unconditional?"]
BLOCKS = [f"/file/blocks?bytes={size}&" for size in (1_024, 8_192, 1_048_576)]
FORMS = ["/file?", *SENT, *BLOCKS]


def get(url: str, **headers: str) -> TestResponse:
    return app.test_client().get(url, buffered=False, headers=headers)


def chunks(url: str) -> list[bytes]:
    """The body as the app yields it, chunk by chunk."""
    with get(url) as answer:
        assert answer.status_code == 200
        return list(answer.iter_encoded())


def truth(total: int) -> bytes:
    return csv_chunks.whole(iter_all_rows(total)).encode()


def open_files(path: Path) -> int:
    """How often this process has the file open."""
    found = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            found += descriptor.readlink() == path
        except FileNotFoundError:  # the descriptor of this very look
            continue
    return found


@pytest.mark.parametrize("total", [0, 1, 11, 1_000])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_sends_the_same_bytes_with_their_length(form: str, total: int) -> None:
    assert b"".join(chunks(f"{form}total={total}")) == truth(total)
    with get(f"{form}total={total}") as answer:
        assert answer.content_type == "text/csv; charset=utf-8"
        assert answer.headers["Content-Length"] == str(len(truth(total)))


@pytest.mark.parametrize("form", FORMS)
def test_20_000_rows_unless_asked_for(form: str) -> None:
    assert b"".join(chunks(form)) == truth(20_000)


@pytest.mark.parametrize("size", [1_024, 8_192, 65_536])
def test_blocks_are_of_the_bytes_asked_for_and_the_last_is_what_is_left(size: int) -> None:
    *full, last = [len(chunk) for chunk in chunks(f"/file/blocks?bytes={size}&total=3000")]
    assert full == [size] * len(full)
    assert last == (len(truth(3_000)) % size or size)
    assert full


def test_the_whole_form_is_one_chunk() -> None:
    assert len(chunks("/file?total=3000")) == 1


class Wrapper(FileWrapper):
    """A server's own wrapper."""


@pytest.mark.parametrize("form", SENT)
def test_the_server_gets_its_own_wrapper_as_it_is(form: str) -> None:
    """Anything around it would keep the server from its sendfile."""
    environ = EnvironBuilder(f"{form}total=5").get_environ() | {"wsgi.file_wrapper": Wrapper}
    body: object = app(environ, lambda *_: list[bytes]().append)
    assert type(body) is Wrapper
    with body.file:
        assert body.file.tell() == 0
        assert body.file.fileno() > 0


def test_send_file_answers_conditions_and_ranges() -> None:
    whole = get("/file/send?total=50")
    assert whole.headers["Content-Disposition"] == "attachment; filename=flights.csv"
    part = get("/file/send?total=50", Range="bytes=3-9")
    assert (part.status_code, part.data) == (206, truth(50)[3:10])
    known = get("/file/send?total=50", **{"If-None-Match": whole.headers["ETag"]})
    assert (known.status_code, known.data) == (304, b"")
    for answer in (whole, part, known):
        answer.close()


def test_without_conditions_it_is_sent_whole_whatever_is_asked() -> None:
    with get("/file/send?total=50") as sent:
        tag = sent.headers["ETag"]
    for headers in ({"Range": "bytes=3-9"}, {"If-None-Match": tag}):
        with get("/file/unconditional?total=50", **headers) as answer:
            assert (answer.status_code, answer.data) == (200, truth(50))
            assert "ETag" not in answer.headers


@pytest.mark.skipif(sys.platform != "linux", reason="open files are looked up in /proc")
@pytest.mark.parametrize("form", [*SENT, *BLOCKS])
def test_the_file_is_closed_however_the_response_ends(form: str) -> None:
    path = file_of(2_000)
    chunks(f"{form}total=2000")
    assert open_files(path) == 0

    given_up = get(f"{form}total=2000")
    pieces = given_up.iter_encoded()
    next(pieces)
    assert open_files(path) == 1
    given_up.close()
    assert open_files(path) == 0

    get(f"{form}total=2000").close()  # before the first piece is taken
    app.test_client().head(f"{form}total=2000").close()
    assert open_files(path) == 0
