"""A suite whose truth is known: small pieces are slow, and a gate stands on the large ones."""

from __future__ import annotations

#: 3,000 bytes; each piece takes a millisecond, and the first one is longer by a header of 100 bytes.
APP = """
import time
from urllib.parse import parse_qs

HEADER, BODY = b"h" * 100, b"x" * 3000

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    size = int(parse_qs(environ["QUERY_STRING"]).get("size", ["3000"])[0])
    return pieces(size)

def pieces(size):
    yield HEADER + BODY[:size]
    for begin in range(size, len(BODY), size):
        time.sleep(0.001)
        yield BODY[begin:begin + size]
"""
SUITE = """
name = "pieces"
blocks = 5
warmup = "0.1s"
window = "0.2s"
trace = false

[[target]]
name = "pieces"
app = "pieces_app:app"
directory = "."
ready = "/"
baseline = "/"
stream = "/?size={{size}}"
size = [1000, 50]

[[server]]
kind = "gunicorn"

[[scenario]]
kind = "download"

[[gate]]
case = "pieces size=1000"
metric = "ttfb_p50"
at_most = "{limit} of baseline"
"""
