"""Flights as CSV: built whole (the baseline), streamed by rows, by bytes, and with the request."""

from collections.abc import Iterator
from typing import Final

from flask import Flask, Response, request, stream_with_context

from targets import csv_chunks
from targets.flights import iter_all_rows
from targets.parameters import Number, read

TOTAL: Final = Number("total", default=20_000, least=0, most=10_000_000)
ROWS: Final = Number("rows", default=500, least=1, most=100_000)
BYTES: Final = Number("bytes", default=64 * 1024, least=1024, most=1024 * 1024)

app = Flask(__name__, static_folder=None)


@app.get("/csv")
def whole() -> Response:
    """Build the body completely in memory, and send it with its length."""
    (total,) = read(request.args, TOTAL)
    return Response(csv_chunks.whole(iter_all_rows(total)), mimetype="text/csv")


@app.get("/csv/rows")
def by_rows() -> Response:
    """Stream `rows` rows a chunk."""
    total, rows = read(request.args, TOTAL, ROWS)
    return Response(csv_chunks.by_rows(iter_all_rows(total), rows), mimetype="text/csv")


@app.get("/csv/bytes")
def by_bytes() -> Response:
    """Stream about `bytes` bytes a chunk."""
    total, size = read(request.args, TOTAL, BYTES)
    return Response(csv_chunks.by_bytes(iter_all_rows(total), size), mimetype="text/csv")


@app.get("/csv/context")
def with_context() -> Response:
    """Stream 500 rows a chunk from a generator that asks the request what to send."""
    read(request.args, TOTAL)  # Once the stream has begun it is too late for a 400.
    return Response(stream_with_context(_asking_the_request()), mimetype="text/csv")


def _asking_the_request() -> Iterator[str]:
    (total,) = read(request.args, TOTAL)
    yield from csv_chunks.by_rows(iter_all_rows(total), ROWS.default)
