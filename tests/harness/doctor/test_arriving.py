"""A URL is judged by how its response arrives, against a server whose schedule is known."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from analysis.doctor.delivery import Delivery
from analysis.doctor.findings import Diagnosis, Kind
from harness.doctor.arriving import examine_url
from results.errors import MeasurementError
from scenarios.listener import Question
from tests.synthetic.server import SyntheticServer

#: Twenty pieces, 10 ms apart.
PACED: dict[str, Any] = {"chunks": (2000,), "repeat": 20, "pace_s": 0.01}
#: The same bytes at once, after as long a time.
LATE: dict[str, Any] = {"chunks": (2000,), "repeat": 20}
ENCODINGS = ("Accept-Encoding", "gzip, deflate, br, zstd")


@pytest.fixture(scope="module")
def server() -> Iterator[SyntheticServer]:
    with SyntheticServer() as running:
        yield running


def examined(server: SyntheticServer, longest_s: float = 5.0, **reply: Any) -> Diagnosis:
    url = f"http://{server.host}:{server.port}{server.path(**reply)}"
    return examine_url(url, Question(url, headers=(ENCODINGS,), longest_s=longest_s))


@pytest.mark.parametrize(
    "reply",
    [
        PACED,
        {**PACED, "framing": "length"},
        {**PACED, "framing": "close"},
        {**PACED, "gzip": True},
        {**PACED, "content": "page"},
        {**PACED, "http": "1.0", "framing": "close"},
    ],
    ids=str,
)
def test_what_comes_piece_by_piece_streams(server: SyntheticServer, reply: dict[str, Any]) -> None:
    found = examined(server, **reply)
    assert found.delivery is Delivery.STREAMS, found
    assert any("connection" in sign for sign in found.signs) == (reply.get("framing") == "close")


@pytest.mark.parametrize(
    ("reply", "sign"),
    [
        ({**LATE, "headers_after_s": 0.2, "framing": "length"}, "It has a Content-Length"),
        ({**LATE, "body_after_s": 0.2}, "something sends them early"),
        ({**LATE, "headers_after_s": 0.2, "gzip": True}, "It is compressed (gzip)"),
        ({"chunks": (4096,), "repeat": 9, "headers_after_s": 0.2}, "exactly 4,096 B"),
        ({"chunks": (300, 40_000), "pace_s": 0.2}, ""),
    ],
    ids=str,
)
def test_what_comes_at_the_end_is_held_and_gives_itself_away(
    server: SyntheticServer, reply: dict[str, Any], sign: str
) -> None:
    found = examined(server, **reply)
    assert found.delivery is Delivery.HELD, found
    assert [layer.kind for layer in found.holders] == [Kind.WHOLE]
    assert sign in " ".join(found.signs)


def test_what_comes_half_way_is_partly_held(server: SyntheticServer) -> None:
    found = examined(server, chunks=(2000,), repeat=20, headers_after_s=0.3, pace_s=0.01)
    assert found.delivery is Delivery.PARTLY, found


@pytest.mark.parametrize("reply", [{"chunks": (100,)}, LATE, {"chunks": (0,)}], ids=str)
def test_what_is_small_or_fast_cannot_be_told(server: SyntheticServer, reply: dict[str, Any]) -> None:
    found = examined(server, **reply)
    assert found.delivery is Delivery.CANNOT_TELL, found
    assert found.holders == []


def test_what_breaks_off_is_cut_off(server: SyntheticServer) -> None:
    found = examined(server, **PACED, cut_at=20_000)
    assert found.delivery is Delivery.CUT_OFF
    assert "20,000 B of body" in found.layers[0].seen


def test_a_stream_that_goes_on_is_left(server: SyntheticServer) -> None:
    begun = time.monotonic()
    found = examined(server, longest_s=0.3, chunks=(500,), repeat=2000, pace_s=0.01)
    assert found.delivery is Delivery.STREAMS
    assert "had not ended" in found.layers[0].seen
    assert time.monotonic() - begun < 20  # the whole of it takes that long


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ({"status": 404}, "status 404 instead of 200"),
        ({"silent": True}, "it was silent"),
        ({"cut_at": 0, "head_segment": 5, "segment_pace_s": 0.01, "reset": True}, ""),
    ],
    ids=str,
)
def test_what_is_no_response_is_refused(server: SyntheticServer, reply: dict[str, Any], words: str) -> None:
    if not words:
        assert examined(server, **reply).delivery is Delivery.CUT_OFF
        return
    with pytest.raises(MeasurementError, match=words):
        examined(server, longest_s=0.5, **reply)


class _Compressing(BaseHTTPRequestHandler):
    """Streams to who takes it as it is, and keeps it back for who wants it compressed."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        wanted = "gzip" in self.headers.get("Accept-Encoding", "")
        pieces = [b"%d,%d\r\n" % (number, number * 7919) * 100 for number in range(20)]
        self.send_response(301 if self.path == "/old" else 200)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Location", "/new")
        self.send_header("Transfer-Encoding", "chunked")
        if wanted:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        if wanted:
            time.sleep(0.2)
            pieces = [gzip.compress(b"".join(pieces))]
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            time.sleep(0.01)
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def compressing() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Compressing) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}"
        finally:
            running.shutdown()
            thread.join()


def test_a_compressor_is_found_by_asking_without_it(compressing: str) -> None:
    asked = Question(f"{compressing}/rows", headers=(ENCODINGS,))
    found = examine_url("x", asked)
    if found.delivery is Delivery.PARTLY:  # on a busy core its end may come in two pieces, a while apart
        found = examine_url("x", asked)
    assert found.delivery is Delivery.HELD
    assert "it is the compressor" in found.holders[0].remedies[0]
    plain = examine_url("x", Question(f"{compressing}/rows", headers=(("Accept-Encoding", "identity"),)))
    assert plain.delivery is Delivery.STREAMS


def test_a_response_that_leads_elsewhere_says_where(compressing: str) -> None:
    with pytest.raises(MeasurementError, match="status 301 instead of 200 and leads to /new"):
        examine_url("x", Question(f"{compressing}/old"))


def test_nobody_there_is_told() -> None:
    with pytest.raises(MeasurementError, match=r"nobody answers at .* port 9: Connection refused"):
        examine_url("x", Question("http://127.0.0.1:9/"))
