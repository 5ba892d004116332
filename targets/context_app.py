"""CSV streams that ask the request while they are sent, and how they fail without its context.

`stream_with_context` keeps the request alive for the generator. Without it the request is gone as
soon as the view has returned, and the generator's first use of it raises "RuntimeError: Working
outside of request context". Seen with gunicorn 27.0.1 and Flask 3.1.3, alike with sync, gthread and
gevent workers:

- Before the first yield (`/context/before`): nothing has been sent yet, and the client gets a 500,
  `Connection: close`, with gunicorn's own HTML page of 141 bytes. Flask's error handlers never hear
  of it: the view had long returned a 200.
- After the first yield (`/context/after`): the client has the 200 and the first chunk (500 rows,
  46,020 bytes), then the connection is closed (an orderly FIN, no reset). To HTTP/1.1 the missing
  last chunk shows that the body is cut off; to HTTP/1.0, where the end of the connection is the end
  of the body, it is indistinguishable from a complete response.

In both cases the traceback is in gunicorn's log, and the worker goes on serving.
"""

from collections.abc import Iterator
from typing import Final

from flask import Flask, Response, request, stream_with_context

from targets import csv_chunks
from targets.flights import iter_all_rows
from targets.parameters import Number, read

TOTAL: Final = Number("total", default=20_000, least=0, most=10_000_000)
ROWS_A_CHUNK: Final = 500

app = Flask(__name__, static_folder=None)


@app.before_request
def refuse_bad_parameters() -> None:
    """Send the 400 while that is still possible: a stream that has begun is a 200 for good."""
    _total()


@app.get("/context")
def whole() -> Response:
    """Build the body completely in memory, and send it with its length."""
    return Response("".join(_asking_first()), mimetype="text/csv")


@app.get("/context/stream")
def streamed() -> Response:
    """Stream with the context kept, from a generator that asks the request after each chunk."""
    return Response(stream_with_context(_asking_later(_total())), mimetype="text/csv")


@app.get("/context/before")
def fails_before_the_first_yield() -> Response:
    """Stream without the context, from a generator that asks the request first."""
    return Response(_asking_first(), mimetype="text/csv")


@app.get("/context/after")
def fails_after_the_first_yield() -> Response:
    """Stream without the context, from a generator that asks the request after each chunk."""
    return Response(_asking_later(_total()), mimetype="text/csv")


def _total() -> int:
    (total,) = read(request.args, TOTAL)
    return total


def _asking_first() -> Iterator[str]:
    yield from csv_chunks.by_rows(iter_all_rows(_total()), ROWS_A_CHUNK)


def _asking_later(total: int) -> Iterator[str]:
    for chunk in csv_chunks.by_rows(iter_all_rows(total), ROWS_A_CHUNK):
        yield chunk
        app.logger.debug("Sent %d characters to %s", len(chunk), request.remote_addr)
