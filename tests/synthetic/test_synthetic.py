"""The synthetic server's bytes on the wire, read by a client of its own."""

from __future__ import annotations

import csv
import io
import json
import zlib
from typing import TYPE_CHECKING, Literal

import pytest

from .raw_client import RawClient
from .reply import Reply
from .server import SyntheticServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .raw_client import Answer


@pytest.fixture(scope="module")
def running() -> Iterator[SyntheticServer]:
    with SyntheticServer() as server:
        yield server


@pytest.fixture
def server(running: SyntheticServer) -> SyntheticServer:
    running.reset()
    return running


def ask(server: SyntheticServer, path: str, method: str = "GET") -> Answer:
    with RawClient(server) as client:
        return client.ask(path, method=method)


def test_a_reply_is_the_same_after_its_path() -> None:
    reply = Reply(
        name="a b/c",
        framing="length",
        keep_alive=False,
        chunks=(1, 0, 2),
        interim=(103,),
        stall_s=0.25,
        flip_at=3,
    )
    assert Reply.from_path(reply.path()) == reply
    assert Reply.from_path(Reply(chunks=()).path()) == Reply(chunks=())
    assert Reply.from_path("/") == Reply()


@pytest.mark.parametrize(
    "query",
    [
        "chunk=5",
        "http=1.0",
        "framing=none",
        "cut_at=4097",
        "framing=length&cut_at=4096",
        "gzip=1",
        "flip_at=1&flip_offset=4096",
    ],
)
def test_a_path_that_asks_for_what_there_is_not_gets_a_400_that_says_why(
    server: SyntheticServer, query: str
) -> None:
    answer = ask(server, f"/stream?{query}")
    assert answer.status == 400
    assert len(answer.body) > 10


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
@pytest.mark.parametrize("eol", ["crlf", "lf"])
def test_the_body_is_csv_of_the_exact_size_in_every_framing(
    server: SyntheticServer, framing: str, eol: str
) -> None:
    path = f"/stream?framing={framing}&chunks=300,0,77&repeat=2&eol={eol}&quoted=True"
    answer = ask(server, path)
    assert answer.complete
    assert answer.body == server.body(path) == server.content(path)
    assert len(answer.body) == 754
    rows = list(csv.reader(io.StringIO(answer.body.decode(), newline="")))
    assert {len(row) for row in rows} == {4}
    assert len(rows) > 10
    if framing == "chunked":
        assert [len(chunk) for chunk in answer.chunks] == [300, 77, 300, 77]
    assert answer.fields["connection"] == ("close" if framing == "close" else "keep-alive")
    assert answer.ending == ("fin" if framing == "close" else "open")


@pytest.mark.parametrize("quoted", [True, False])
def test_the_first_row_ends_where_a_csv_reader_has_it(quoted: bool) -> None:
    path = SyntheticServer.path(quoted=quoted)
    end = SyntheticServer.first_row_end(path)
    assert end is not None
    head = SyntheticServer.content(path)[:end].decode()
    rows = list(csv.reader(io.StringIO(head, newline="")))
    assert len(rows) == 2
    assert head.endswith("\r\n")
    assert ("\r\n" in rows[0][3]) is ("\r\n" in rows[1][3]) is quoted


def test_other_seeds_give_other_bodies_and_a_small_body_has_no_row() -> None:
    assert SyntheticServer.body(SyntheticServer.path(seed=1)) != SyntheticServer.body(
        SyntheticServer.path(seed=2)
    )
    for size in (0, 1, 10, 40):
        path = SyntheticServer.path(chunks=(size,))
        assert len(SyntheticServer.body(path)) == size
        assert SyntheticServer.first_row_end(path) is None


def test_the_first_row_of_a_page_is_not_that_of_its_head() -> None:
    path = SyntheticServer.path(content="page", chunks=(1000,))
    page, end = SyntheticServer.body(path), SyntheticServer.first_row_end(path)
    assert len(page) == 1000
    assert page[:end].count(b"</tr>") == 2
    assert page[:end].endswith(b"</td></tr>")
    assert page.endswith(b"</html>\n")


@pytest.mark.parametrize("eol", ["crlf", "lf"])
def test_the_first_row_of_lines_and_of_events(eol: Literal["crlf", "lf"]) -> None:
    end_of_line = b"\r\n" if eol == "crlf" else b"\n"
    path = SyntheticServer.path(content="ndjson", chunks=(1000,), eol=eol)
    body, end = SyntheticServer.body(path), SyntheticServer.first_row_end(path)
    assert len(body) == 1000
    assert json.loads(body[:end])["number"] == 1
    assert body[:end].endswith(end_of_line)

    path = SyntheticServer.path(content="events", chunks=(1000,), eol=eol)
    body, end = SyntheticServer.body(path), SyntheticServer.first_row_end(path)
    assert len(body) == 1000
    assert end is not None
    assert body[: end + len(end_of_line) - 1].count(2 * end_of_line) == 3
    assert body[:end].endswith(end_of_line + end_of_line[:1])
    assert body[:end].count(b"data: ") == 1

    for small in (
        SyntheticServer.path(content="ndjson", chunks=(12,), eol=eol),
        SyntheticServer.path(content="events", chunks=(12,), eol=eol),
    ):
        assert len(SyntheticServer.body(small)) == 12
        assert SyntheticServer.first_row_end(small) is None


def test_gzip_is_flushed_at_each_chunk(server: SyntheticServer) -> None:
    path = server.path(gzip=True, chunks=(100, 200, 300))
    answer = ask(server, path)
    decoder = zlib.decompressobj(wbits=31)
    assert [len(decoder.decompress(chunk)) for chunk in answer.chunks] == [100, 200, 300]
    assert decoder.eof
    assert answer.fields["content-encoding"] == "gzip"
    assert answer.body == server.body(path)
    assert [write.content_bytes for write in server.truth()[0].body] == [100, 200, 300]


def test_http_1_0(server: SyntheticServer) -> None:
    counted = ask(server, server.path(http="1.0", framing="length"))
    assert (counted.version, counted.fields["connection"], len(counted.body)) == ("HTTP/1.0", "close", 4096)
    closed = ask(server, server.path(http="1.0", framing="close"))
    assert (closed.version, closed.ending, len(closed.body)) == ("HTTP/1.0", "fin", 4096)


def test_statuses_without_a_body_and_head(server: SyntheticServer) -> None:
    for status, fields in ((204, set()), (304, {"content-length"})):
        with RawClient(server) as client:
            answer = client.ask(server.path(status=status, framing="length"))
            assert answer.status == status
            assert answer.fields.keys() & {"content-length", "transfer-encoding"} == fields
            assert client.ask(server.path()).complete, "nothing of the first was left over"
    with RawClient(server) as client:
        assert client.ask(server.path(framing="length"), method="HEAD").fields["content-length"] == "4096"
        assert client.ask(server.path(), method="HEAD").fields["transfer-encoding"] == "chunked"
        assert client.ask(server.path(status=500)).status == 500
    for truth in server.truth():
        if truth.method == "HEAD" or truth.path != server.path():
            bodiless = truth.method == "HEAD" or "status=500" not in truth.path
            assert (truth.first_body is None) is bodiless
            assert truth.end is not None


def test_interim_responses_trailers_and_extensions(server: SyntheticServer) -> None:
    answer = ask(server, server.path(interim=(100, 103, 103), trailers=True, extensions=True, chunks=(9, 9)))
    assert answer.interim == (100, 103, 103)
    assert answer.status == 200
    assert answer.trailers == {"x-size": "18"}
    assert answer.extensions == ('kind=row;note="a;b"',) * 2
    assert answer.complete
    writes = server.truth()[0].writes
    assert [write.completes for write in writes] == [("interim",)] * 3 + [("headers",), (), (), ("message",)]


def test_padding_makes_the_header_block_long(server: SyntheticServer) -> None:
    plain, padded = ask(server, server.path()), ask(server, server.path(padding=70_000))
    assert padded.head_bytes == plain.head_bytes + 70_000 + len("X-Padding: \r\n")


def test_segments_are_sends_of_their_own(server: SyntheticServer) -> None:
    path = server.path(head_segment=50, segment=7, chunks=(100,))
    assert ask(server, path).body == server.body(path)
    truth = server.truth()[0]
    assert truth.headers == truth.writes[2], "the third of three pieces"
    assert {write.wire_bytes for write in truth.writes[:2]} == {50}
    assert {write.wire_bytes for write in truth.body[:-1]} == {7}
    assert truth.body_bytes == 100
    sent, row_end = 0, server.first_row_end(path)
    for write in truth.body:
        before, sent = sent, sent + write.content_bytes
        assert row_end is not None
        assert (write is truth.first_row) is (before < row_end <= sent)


def test_joined_sends(server: SyntheticServer) -> None:
    path = server.path(join_head=True, join_end=True)
    assert ask(server, path).complete
    (write,) = server.truth()[0].writes
    assert write.completes == ("headers", "row", "message")
    assert write.body_bytes == 4096


def test_one_byte_is_flipped_in_the_right_response(server: SyntheticServer) -> None:
    path = server.path(flip_at=2, flip_offset=10)
    with RawClient(server) as client:
        first, second, third = (client.ask(path).body for _ in range(3))
    assert first == third == server.body(path, 1) == server.body(path, 3)
    assert second == server.body(path, 2)
    assert [place for place in range(4096) if first[place] != second[place]] == [10]


def test_a_request_body_is_read_and_its_fields_are_known(server: SyntheticServer) -> None:
    with RawClient(server) as client:
        for _ in range(2):
            fields = ("Content-Length: 5", "X-Mark: Yes")
            assert client.ask(server.path(), *fields, method="POST", body=b"12345").complete
    for truth in server.truth():
        assert (truth.method, truth.request_body_bytes) == ("POST", 5)
        assert ("X-Mark", "Yes") in truth.request_headers


def test_connections_requests_and_turns_are_counted(server: SyntheticServer) -> None:
    one, two = server.path(name="one"), server.path(name="two")
    with RawClient(server) as first, RawClient(server) as second:
        for client, path in ((first, one), (first, two), (second, one), (first, one)):
            assert client.ask(path).complete
        counts = server.counts()
        assert (counts.connections, counts.requests) == (2, 4)
        truths = server.truth()
        assert [truth.index for truth in truths] == [0, 1, 2, 3]
        assert [truth.number for truth in truths] == [1, 1, 2, 3]
        assert [truth.turn for truth in truths] == [0, 1, 0, 2]
        ids = [truth.connection for truth in truths]
        assert ids[0] == ids[1] == ids[3] != ids[2]
        server.reset()
        assert first.ask(one).complete, "open connections live on"
        assert (server.counts().connections, server.truth()[0].number) == (0, 1)


def test_the_client_may_ask_for_the_close(server: SyntheticServer) -> None:
    with RawClient(server) as client:
        answer = client.ask(server.path(), "Connection: close")
        assert answer.fields["connection"] == "close"
        assert client.rest() == b""
        assert client.ending == "fin"
