"""A WSGI app whose yields keep a known pace, for a real server to run with a ledger around it.

/paced?n=8&ms=20   8 chunks of 100 bytes, a sleep of 20 ms before each but the first
/raises?n=3        chunks without an end: an error after three of them
/endless           chunks until the client has had enough
/whole             all chunks at once

Three wrappers of the app that the environment's JOINED names, which may be a ledger: `joined` is what people
put around an app without thinking of streams (it collects the body before it answers), `gzipped` sends other
bytes than it got, `unclosed` keeps the app's body for itself: whoever closes the response does not reach it.
"""

from __future__ import annotations

import gzip
import importlib
import os
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

CHUNK = b"0123456789" * 10


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer at once, then keep the pace."""
    words = {name: float(texts[0]) for name, texts in parse_qs(environ["QUERY_STRING"]).items()}
    start_response("200 OK", [("Content-Type", "text/plain")])
    path = environ["PATH_INFO"]
    if path == "/whole":
        return [CHUNK * int(words.get("n", 8))]
    return _chunks(path, int(words.get("n", 8)), words.get("ms", 0) / 1000)


def gzipped(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The app, compressed by whatever wraps it: sizes at the client are others than at the app."""
    return [gzip.compress(b"".join(joined(environ, start_response)), mtime=0)]


_kept: list[Iterable[bytes]] = []


def unclosed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The app, handed on chunk by chunk, and never closed."""
    body = _wrapped(environ, start_response)
    _kept.append(body)
    return (chunk for chunk in body)


def joined(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The app, collected before anything is sent, and sent chunk by chunk then."""
    body = _wrapped(environ, start_response)
    try:
        return iter(list(body))
    finally:
        if hasattr(body, "close"):
            body.close()


def _wrapped(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    module, _, name = os.environ["JOINED"].partition(":")
    body: Iterable[bytes] = getattr(importlib.import_module(module), name)(environ, start_response)
    return body


def _chunks(path: str, n: int, pause_s: float) -> Iterator[bytes]:
    number = 0
    while path == "/endless" or number < n:
        if number:
            time.sleep(pause_s)
        yield CHUNK
        number += 1
    if path == "/raises":
        raise RuntimeError("the paper ran out")
