"""In which order a streamed Flask response ends, in the Flask that is installed here.

Nothing is served: a server does no more than iterate and call ``close()`` (PEP 3333), and that is done here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.util import setup_testing_defaults

from flask import Flask, Response, has_request_context, request, stream_with_context

from results.conformance.findings import TeardownOrder

_PIECES = 3
#: What a client that hangs up has taken.
_TAKEN = 1


def teardown_orders() -> list[TeardownOrder]:
    """With ``stream_with_context`` and without, read to the end and hung up."""
    return [
        TeardownOrder(kept, hung_up, _events(kept=kept, hung_up=hung_up))
        for kept, hung_up in itertools.product((True, False), (False, True))
    ]


def _events(*, kept: bool, hung_up: bool) -> list[str]:
    events: list[str] = []
    app = Flask(__name__, static_folder=None)

    @app.teardown_request
    def _torn_down(_error: BaseException | None) -> None:
        events.append("teardown_request")

    @app.teardown_appcontext
    def _app_torn_down(_error: BaseException | None) -> None:
        events.append("teardown_appcontext")

    def pieces() -> Iterator[str]:
        try:
            for number in range(1, _PIECES + 1):
                context = "" if has_request_context() else ", no request"
                events.append(f"yield {number}{context}")
                yield "piece"
        finally:
            events.append("finally" + ("" if has_request_context() else ", no request"))

    @app.get("/")
    def _view() -> Response:
        assert request.path == "/"  # noqa: S101  - the context is there as long as the view runs
        body = pieces()
        response = Response(stream_with_context(body) if kept else body)
        response.call_on_close(lambda: events.append("call_on_close"))
        events.append("view returns")
        return response

    _serve(app, _TAKEN if hung_up else None)
    return events


def _serve(app: Callable[..., Any], most: int | None) -> None:
    """Do what PEP 3333 asks of a server; take ``most`` pieces and hang up then."""
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)

    def start_response(_status: str, _fields: object, _error: object = None) -> Callable[[bytes], None]:
        return lambda _data: None

    body = app(environ, start_response)
    for _ in itertools.islice(body, most):
        pass
    body.close()
