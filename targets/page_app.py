"""Flights as an HTML page: rendered whole (the baseline), and streamed with and without buffering.

In a stream Jinja yields an event for each expression and for each piece of text between two of them.
A table row here is 5 cells and so 11 events.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from flask import Flask, Response, render_template, request, stream_template, stream_with_context
from jinja2.environment import TemplateStream

from targets.flights import iter_all_rows
from targets.parameters import Number, read

TOTAL: Final = Number("total", default=2_000, least=0, most=1_000_000)
EVENTS: Final = Number("n", default=5, least=2, most=100_000)
TEMPLATE: Final = "flights.html"

app = Flask(__name__, static_folder=None)


class Flight(NamedTuple):
    """One row of the flights table: the names are its columns, the values its texts."""

    year: str
    month: str
    day: str
    dep_time: str
    sched_dep_time: str
    dep_delay: str
    arr_time: str
    sched_arr_time: str
    arr_delay: str
    carrier: str
    flight: str
    tailnum: str
    origin: str
    dest: str
    air_time: str
    distance: str
    hour: str
    minute: str
    time_hour: str


class Flights:
    """The flights of one page, counted as they pass, so that the foot can tell their number."""

    def __init__(self, rows: Iterable[tuple[str, ...]]) -> None:
        self.count = 0
        self._rows = rows

    def __iter__(self) -> Iterator[Flight]:
        for row in self._rows:
            self.count += 1
            yield Flight._make(row)


@app.template_filter()
def day(flight: Flight) -> str:
    """Return the date of departure, ISO 8601."""
    return f"{flight.year}-{flight.month:0>2}-{flight.day:0>2}"


@app.template_filter()
def clock(time: str) -> str:
    """Turn "517" (hours and minutes without a colon) into "05:17"."""
    return time if time == "NA" else f"{time[:-2]:0>2}:{time[-2:]:0>2}"


@app.template_filter()
def delay(minutes: str) -> str:
    """Turn minutes into "+2 min", with the sign always there."""
    return minutes if minutes == "NA" else f"{int(minutes):+d} min"


@app.get("/page")
def whole() -> str:
    """Render the page completely in memory, and send it with its length."""
    (total,) = read(request.args, TOTAL)
    return render_template(TEMPLATE, flights=Flights(iter_all_rows(total)))


@app.get("/page/template")
def streamed() -> Response:
    """Stream the page with Flask's `stream_template`: one chunk an event, never buffered."""
    (total,) = read(request.args, TOTAL)
    return Response(stream_template(TEMPLATE, flights=Flights(iter_all_rows(total))))


@app.get("/page/buffered")
def buffered() -> Response:
    """Stream the page with Jinja's `enable_buffering`: one chunk for `n` events.

    A stream that is abandoned (the client hung up) keeps its generator, and so the connection to the
    database, until the next run of the garbage collector: Jinja's `TemplateStream` has no `close`
    and, once buffered, refers to itself.
    """
    total, events = read(request.args, TOTAL, EVENTS)
    stream = _template_stream(flights=Flights(iter_all_rows(total)))
    stream.enable_buffering(events)
    return Response(stream_with_context(stream))


def _template_stream(**context: object) -> TemplateStream:
    """The pattern of Flask's documentation for a template stream of one's own."""
    app.update_template_context(context)
    return app.jinja_env.get_template(TEMPLATE).stream(context)
