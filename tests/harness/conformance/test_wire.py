"""A response is read as RFC 9112 says, however its bytes are cut up."""

from __future__ import annotations

import pytest

from harness.conformance.wire import End, Framing, NotHttp, Response

CHUNKED = (
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;name=value\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
)


def read(data: bytes, *, pieces: int = 1, method: str = "GET", version: str = "1.1") -> Response:
    response = Response(method, version)
    for number, at in enumerate(range(0, len(data), pieces)):
        response.feed(data[at : at + pieces], number)
    return response


@pytest.mark.parametrize("pieces", [1, 2, 7, 1000])
def test_chunks_interim_responses_and_trailers(pieces: int) -> None:
    response = read(CHUNKED + b"HTTP/1.1 404", pieces=pieces)
    assert (response.status, response.framing, response.end) == (200, Framing.CHUNKED, End.WHOLE)
    assert bytes(response.body) == b"abc0123456789"
    assert bytes(response.surplus) == b"HTTP/1.1 404"
    assert response.arrivals[-1][1] == 13


@pytest.mark.parametrize("pieces", [1, 1000])
def test_a_length_ends_the_body(pieces: int) -> None:
    response = read(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcde", pieces=pieces)
    assert (response.framing, response.end) == (Framing.LENGTH, End.WHOLE)
    assert (bytes(response.body), bytes(response.surplus)) == (b"abc", b"de")


@pytest.mark.parametrize("said", [b"3, 3", b"3\r\nContent-Length: 3", b"03"])
def test_one_length_that_is_said_more_than_once_is_that_length(said: bytes) -> None:
    response = read(b"HTTP/1.1 200 OK\r\nContent-Length: %b\r\n\r\nabcde" % said)
    assert (response.framing, bytes(response.body)) == (Framing.LENGTH, b"abc")


@pytest.mark.parametrize(
    ("codings", "framing"),
    [
        (b"chunked", Framing.CHUNKED),
        (b"gzip, Chunked", Framing.CHUNKED),
        (b"gzip\r\nTransfer-Encoding: chunked", Framing.CHUNKED),
        (b"identity", Framing.CLOSE),
        (b"chunked, gzip", Framing.CLOSE),
    ],
)
def test_only_a_last_coding_of_chunks_tells_the_end(codings: bytes, framing: Framing) -> None:
    """Any other ends with the connection, whatever length is said beside it."""
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: %b\r\n\r\n0\r\n\r\n" % codings
    response = read(data)
    assert response.framing is framing
    assert (response.end is End.WHOLE) is (framing is Framing.CHUNKED)


def test_no_body_at_all() -> None:
    for data, method in (
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "HEAD"),
        (b"HTTP/1.1 204 No Content\r\n\r\nabc", "GET"),
    ):
        response = read(data, method=method)
        assert (response.end, bytes(response.body), bytes(response.surplus)) == (End.WHOLE, b"", b"abc")
    assert read(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").end is End.WHOLE


@pytest.mark.parametrize("end", [End.CLOSED, End.RESET])
def test_only_an_orderly_end_of_the_connection_ends_a_body_without_framing(end: End) -> None:
    response = read(b"HTTP/1.0 200 OK\r\n\r\nabc", version="1.0")
    assert not response.whole
    response.close(end)
    assert response.whole is (end is End.CLOSED)
    assert bytes(response.body) == b"abc"


@pytest.mark.parametrize("data", [CHUNKED[:-2], CHUNKED[:-19], CHUNKED[:-27], CHUNKED[:60]])
def test_what_is_cut_off_is_never_whole(data: bytes) -> None:
    response = read(data)
    response.close(End.CLOSED)
    assert not response.whole
    assert response.end is End.CLOSED


def test_to_a_client_of_http_1_0_chunks_tell_no_end() -> None:
    response = read(CHUNKED[:-2], version="1.0")
    response.close(End.CLOSED)
    assert response.whole


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 20\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nabcdef",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1_0\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
    ],
)
def test_what_is_no_http_is_told(data: bytes) -> None:
    with pytest.raises(NotHttp):
        read(data, pieces=1000)
