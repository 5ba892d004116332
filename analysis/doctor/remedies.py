"""What helps against a layer that holds, in its own terms. Names only help here: they judge nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from analysis.doctor.findings import Kind

WHOLE_VIEW: Final = (
    "return a generator that yields rows, in a Response; for a template, stream_template in place of "
    "render_template"
)
RAISED: Final = (
    "the view has returned by then, and no error handler of the app hears of it; what the generator needs of "
    "the request is kept by stream_with_context"
)
ASYNCHRONOUS: Final = (
    "give StreamingHttpResponse a synchronous iterator under WSGI, or serve the project by ASGI"
)
OWN_CLASSES: Final = (
    "one of them touches the whole body (process_response, get_app_iter): let it leave alone what is_streamed"
)
EMPTY_FIRST: Final = (
    'it yields nothing first (yield ""): servers send the headers then, and the first byte of the body comes '
    "no sooner; leave that out, and yield the first rows"
)
ONE_PIECE: Final = "it hands over everything in one piece: yield rows as they are made"
ONE_LARGE_PIECE: Final = (
    "one piece holds nearly all of the bytes: something collects the rows before it yields them (a join, a "
    "macro, a {% set %} or {% filter %} block)"
)
WORKS_FIRST: Final = (
    "it works before it yields: fetchall(), a list comprehension, sorted(), or a query that makes all of its "
    "rows first; iterate over the cursor, and yield each row"
)
_TEMPLATE: Final = (
    "something in it needs all rows before it says the first: a {% set %} or {% filter %} block, a macro or "
    "{% call %} around the loop, loop.length, or a filter like sort"
)
_CONSTRUCTS: Final = (
    "this needs all rows before it says the first; keep the loop outside, or tell their number after them"
)
_COMPRESSES: Final = (
    "it compresses ({}) and keeps what it has until there is enough; {}, or let it flush after each piece"
)
_UNCOMPRESSED: Final = {
    "flask_compress": "leave the type out of COMPRESS_MIMETYPES, or set COMPRESS_STREAMS = False",
    "django": 'set response["Content-Encoding"] = "identity", which it leaves alone',
    "": "leave streamed types out of it",
}
_AFTER_REQUEST: Final = (
    "it reads the whole body (get_data(), add_etag(), response.data): let it return early where "
    "response.is_streamed"
)
_MIDDLEWARE: Final = (
    "a middleware has to pass on each piece that its application yields (PEP 3333, Middleware Handling of "
    "Block Boundaries): let it yield from the application's iterable, and collect nothing"
)
_PROFILER: Final = "it collects the body to time it: use it in development only, and never around a stream"
_SERVER: Final = (
    "a server has to send each piece before it asks for the next one (PEP 3333, Buffering and Streaming); "
    "`streamgauge conform` shows which do"
)
_SERVERS: Final = {
    "waitress": "waitress sends when it has send_bytes; with 1, its default, it sends each piece",
}
_WORKER_TIMEOUT: Final = (
    "gunicorn killed its worker, which gives no sign of life while it sends: let timeout be longer than "
    "the longest stream (0: none), or use gthread or gevent workers"
)
_BROKE_OFF: Final = (
    "see what the server wrote: an error in the generator, or a worker's end, ends the response in its middle"
)
_MALFORMED: Final = (
    "it is no valid response: a Content-Length or a Content-Encoding that is not so, or somebody in the "
    "middle who rewrites it"
)
_PROXY_COMPRESSES: Final = (
    "it compresses, and keeps what it has until there is enough: leave the type out of gzip_types, or "
    "switch gzip off for this location{}"
)
_ACCEL: Final = (
    "send the header X-Accel-Buffering: no with the response (tried: the probe came through), or switch "
    "proxy_buffering off for this location"
)
_NEWER: Final = (
    "or let it ask the server in HTTP/1.1 (proxy_http_version 1.1; tried: the probe came through): then it "
    "passes on chunks as they come"
)
_PROXY: Final = (
    "switch its response buffering off (nginx: proxy_buffering off; Apache: flushpackets=on; HAProxy: no "
    "option http-buffer-response)"
)
COMPRESSOR: Final = (
    "it is the compressor that holds it (tried: without Accept-Encoding it streams): leave this type out of "
    "what is compressed, or let the compressor flush after each piece"
)
HTTP_1_0: Final = (
    "The proxy asks the server in HTTP/1.0, where the end of a stream is the end of the connection: one that "
    "breaks off looks complete to it. proxy_http_version 1.1 tells the difference."
)


def of_template(places: Sequence[str]) -> tuple[str, ...]:
    """What a template should do without; ``places`` are the constructs that were found in it."""
    if not places:
        return (_TEMPLATE,)
    return (f"{', '.join(places)}: {_CONSTRUCTS}",)


def of_probe(kind: Kind, name: str, headers: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """What helps against a layer that a probe did not come through; ``headers`` came with the probe."""
    encoding = next((value for key, value in headers if key.lower() == "content-encoding"), None)
    if encoding is not None and encoding != "identity":
        way = next(words for package, words in _UNCOMPRESSED.items() if name.startswith(package))
        return (_COMPRESSES.format(encoding, way),)
    if kind is Kind.AFTER_REQUEST:
        return (_AFTER_REQUEST,)
    return (_PROFILER if name.startswith("werkzeug.middleware.profiler") else _MIDDLEWARE,)


def of_server(kind: str) -> tuple[str, ...]:
    """What helps against a server that holds."""
    return (_SERVERS.get(kind, _SERVER),)


def of_cut_off(failure: str, output: str) -> tuple[str, ...]:
    """What helps where the response fails so; ``output`` is the end of what the server wrote."""
    if failure.startswith("malformed"):
        return (_MALFORMED,)
    if "WORKER TIMEOUT" in output:
        return (_WORKER_TIMEOUT,)
    return (_BROKE_OFF,)


def of_proxy(*, unbuffered: bool, identity: bool, newer: bool, encoded: bool) -> tuple[str, ...]:
    """What helps against a proxy, by what was tried.

    The probe came through with ``X-Accel-Buffering: no`` (``unbuffered``), when no compression was asked for
    (``identity``), when the proxy asked in HTTP/1.1 (``newer``); ``encoded``: the proxy compressed it.
    """
    found = []
    if encoded or identity:
        tried = " (tried: without Accept-Encoding the probe came through)" if identity else ""
        found.append(_PROXY_COMPRESSES.format(tried))
    if unbuffered:
        found.append(_ACCEL)
    if newer:
        found.append(_NEWER)
    return tuple(found) or (_PROXY,)
