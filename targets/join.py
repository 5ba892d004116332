"""The whole form of an app that has only a streamed one: a WSGI middleware that collects each response.

What it collects is joined and sent with its length, as an app does that builds its response whole.

Stands alone: it is copied under a name of its own beside a server under test, in whose environment only the
standard library is sure to be there (Python 3.8 or newer), and is served as ``NAME:app``. APP_VARIABLE names
the real app.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

APP_VARIABLE = "STREAMGAUGE_JOIN_APP"

#: Statuses that have no body (RFC 9110, 15.3.5 and 15.4.5).
_BODILESS = ("204", "304")


class Join:
    """A WSGI app around another (PEP 3333)."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(
        self, environ: Mapping[str, Any], start_response: Callable[..., Callable[[bytes], object]]
    ) -> Iterable[bytes]:
        """Serve one request as the app does, but all at once."""
        pieces: list[bytes] = []
        answer: list[Any] = []

        def starting(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], None]:
            if answer and exc_info is None:
                raise AssertionError("start_response was called twice without exc_info (PEP 3333)")
            answer[:] = [status, headers]  # nothing has been sent: an error may still replace it
            return pieces.append

        body = self._app(environ, starting)
        try:
            pieces.extend(body)
        finally:
            if hasattr(body, "close"):
                body.close()
        if not answer:
            raise AssertionError("the app did not call start_response (PEP 3333)")
        status, headers = answer
        whole = b"".join(pieces)
        if environ["REQUEST_METHOD"] != "HEAD" and not status.startswith(_BODILESS):
            headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
            headers.append(("Content-Length", str(len(whole))))
        start_response(status, headers)
        return [whole]


#: As `middleware.applied` names it.
around = Join


def in_flask(app: Any) -> None:
    """Have a Flask app's views return their responses collected, before anything else works on them."""

    def whole(response: Any) -> Any:
        response.direct_passthrough = False
        response.make_sequence()
        response.set_data(response.get_data())
        return response

    app.after_request(whole)


def __getattr__(name: str) -> Join:
    """``app``: the wrapper around the app that the environment names, made when it is first asked for."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, path = os.environ[APP_VARIABLE].partition(":")
    path, is_factory, _ = path.partition("()")
    found: Any = importlib.import_module(module)
    for attribute in path.split("."):
        found = getattr(found, attribute)
    if is_factory:
        found = found()
    join = globals()["app"] = Join(found)
    return join
