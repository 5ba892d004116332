"""Flights as newline-delimited JSON, one object a line: built whole (the baseline), and streamed by rows.

There is no standard for it but custom: the media type is the one that most send (NDJSON specification 1.0,
`application/x-ndjson`), each line is a JSON text without line breaks of its own, and the last one ends too.
"""

from collections.abc import Iterator
from typing import Final

from flask import Flask, Response, request

from targets.flights import iter_all_rows
from targets.flights_json import flight_json
from targets.parameters import Number, read
from targets.text_chunks import joined

TOTAL: Final = Number("total", default=5_000, least=0, most=1_000_000)
ROWS: Final = Number("rows", default=500, least=1, most=100_000)
MEDIA_TYPE: Final = "application/x-ndjson"

app = Flask(__name__, static_folder=None)


@app.get("/ndjson")
def whole() -> Response:
    """Build the body completely in memory, and send it with its length."""
    (total,) = read(request.args, TOTAL)
    return Response("".join(_lines(total)), mimetype=MEDIA_TYPE)


@app.get("/ndjson/rows")
def by_rows() -> Response:
    """Stream `rows` lines a chunk."""
    total, rows = read(request.args, TOTAL, ROWS)
    return Response(joined(_lines(total), rows), mimetype=MEDIA_TYPE)


def _lines(total: int) -> Iterator[str]:
    for row in iter_all_rows(total):
        yield f"{flight_json(row)}\n"
