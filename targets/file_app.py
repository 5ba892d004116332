"""Flights as a CSV file from the disk: read whole (the baseline), sent by `send_file`, and by blocks.

What `send_file` gives to the server is the server's own `wsgi.file_wrapper` around the open file, and what
becomes of it is the server's business. Seen with strace on Linux, and in their sources:

| server | wrapper | how the file is sent |
| --- | --- | --- |
| gunicorn 27.0.1, sync and gthread | its own | sendfile(2): no byte of it comes into Python |
| gunicorn 27.0.1, gevent | its own | read and sent in blocks of 8 KiB: gevent has no sendfile that waits |
| uWSGI 2.0.30 | a function that returns the file | sendfile(2) |
| waitress 3.0.2 | its own | read and sent as much at a time as the socket's send buffer is large |
| granian 2.8, cheroot 11.1, Werkzeug 3.1 | none | Werkzeug's: iterated like any body, 8 KiB a chunk |

With sendfile(2) the file's pages go from the page cache to the socket. They are in nobody's resident set, so
that `peak_memory` has nothing to show, and `cpu_per_mb` is what the kernel does in the server's name. The
file lies in the page cache, since it was read just before: no figure says anything of a disk.

Every response has a length, and so no chunks on the wire.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from flask import Flask, Response, request, send_file

from targets.flights_file import file_of
from targets.parameters import Number, read

TOTAL: Final = Number("total", default=20_000, least=0, most=1_000_000)
BYTES: Final = Number("bytes", default=64 * 1024, least=1024, most=16 * 1024 * 1024)
MEDIA_TYPE: Final = "text/csv"
NAME: Final = "flights.csv"

app = Flask(__name__, static_folder=None)


@app.get("/file")
def whole() -> Response:
    """Read the file into memory, and send it as one body."""
    (total,) = read(request.args, TOTAL)
    return Response(file_of(total).read_bytes(), mimetype=MEDIA_TYPE)


@app.get("/file/send")
def sent() -> Response:
    """Send the file as Flask's documentation does.

    A client that asks with `Range` or `If-None-Match` gets a part of it, or a 304 and nothing. Ours asks so
    only where a suite's `headers` say it.
    """
    (total,) = read(request.args, TOTAL)
    return send_file(file_of(total), mimetype=MEDIA_TYPE, as_attachment=True, download_name=NAME)


@app.get("/file/unconditional")
def unconditional() -> Response:
    """Send the file without an ETag, and all of it whatever the client's conditions are."""
    (total,) = read(request.args, TOTAL)
    return send_file(
        file_of(total),
        mimetype=MEDIA_TYPE,
        as_attachment=True,
        download_name=NAME,
        conditional=False,
        etag=False,
    )


@app.get("/file/blocks")
def by_blocks() -> Response:
    """Send the file in blocks of `bytes` bytes, read by a generator that goes to the server as it is."""
    total, size = read(request.args, TOTAL, BYTES)
    path = file_of(total)
    response = Response(_blocks(path, size), mimetype=MEDIA_TYPE, direct_passthrough=True)
    response.content_length = path.stat().st_size
    return response


def _blocks(path: Path, size: int) -> Iterator[bytes]:
    # Opened here and not in the view: a generator that is closed before it has begun closes nothing.
    with path.open("rb", buffering=0) as file:
        while block := file.read(size):
            yield block
