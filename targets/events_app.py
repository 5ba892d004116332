"""Flights as server-sent events: built whole (the baseline), and streamed by events.

The format is that of the WHATWG (HTML, 9.2, "Server-sent events"): each event has its id, its name, its data
on one line, and a blank line that ends it. Where others stream events without an end, this one ends, since
it is measured like other responses. A browser's EventSource would take that for a lost connection and ask
again, from the last id on; the last event, `end`, is for the page to close it.
"""

from collections.abc import Iterator
from typing import Final

from flask import Flask, Response, request

from targets.flights import iter_all_rows
from targets.flights_json import flight_json
from targets.parameters import Number, read
from targets.text_chunks import joined

TOTAL: Final = Number("total", default=2_000, least=0, most=1_000_000)
EVENTS: Final = Number("events", default=1, least=1, most=100_000)
MEDIA_TYPE: Final = "text/event-stream"

app = Flask(__name__, static_folder=None)


@app.get("/events")
def whole() -> Response:
    """Build the body completely in memory, and send it with its length: what a poll would get."""
    (total,) = read(request.args, TOTAL)
    return Response("".join(_events(total)), mimetype=MEDIA_TYPE)


@app.get("/events/stream")
def streamed() -> Response:
    """Stream `events` events a chunk; one, unless asked for, as an event is sent when it happens.

    The headers are those that such streams have everywhere. `no-cache` keeps caches from answering with what
    happened earlier. `X-Accel-Buffering: no` is for nginx, which otherwise collects what it passes on until a
    buffer is full, and for proxies that do as it does; server and client have no use for it.
    """
    total, events = read(request.args, TOTAL, EVENTS)
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return Response(joined(_events(total), events), mimetype=MEDIA_TYPE, headers=headers)


def _events(total: int) -> Iterator[str]:
    for number, row in enumerate(iter_all_rows(total), start=1):
        yield f"id: {number}\nevent: flight\ndata: {flight_json(row)}\n\n"
    yield f'event: end\ndata: {{"flights":{total}}}\n\n'
