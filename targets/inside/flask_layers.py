"""Looks into a Flask app: what a view returns, and which ``after_request`` function holds a stream back."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from .asking import Pieces, ask, environ_of, name_of, place_of, stamped
from .probes import Probe, sent_through, without_length

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def flask_behind(app: Any, layers: list[Any]) -> Any:
    """The Flask app that answers at the end of the layers; None where there is none."""
    flask = sys.modules.get("flask")
    if flask is None:
        return None
    owners = [app, *(layer.owner for layer in layers)]
    return next((owner for owner in reversed(owners) if isinstance(owner, flask.Flask)), None)


def endpoint_of(flask_app: Any, job: dict[str, Any]) -> str | None:
    """The endpoint that answers the request; None where the app itself finds none (a 404)."""
    try:
        endpoint, _ = flask_app.url_map.bind_to_environ(environ_of(job)).match()
    except Exception:  # noqa: BLE001  - a 404, a redirect, a host that the map does not know
        return None
    return endpoint if endpoint in flask_app.view_functions else None


class FlaskView:
    """The view that answers; made, it has been asked once."""

    def __init__(self, app: Any, flask_app: Any, endpoint: str, job: dict[str, Any]) -> None:
        self._app = app
        self._flask_app = flask_app
        self._endpoint = endpoint
        self.pieces = Pieces()
        self.seen = self._look(job)
        """What the view returns, before anything else of the app has it."""

    def _look(self, job: dict[str, Any]) -> dict[str, Any]:
        flask_app = self._flask_app
        original = flask_app.view_functions[self._endpoint]
        seen: dict[str, Any] = {"whole": False, "headers": []}

        def view(**arguments: Any) -> Any:
            returned = flask_app.ensure_sync(original)(**arguments)
            response = flask_app.make_response(returned)
            seen["returned"] = name_of(type(returned[0] if isinstance(returned, tuple) else returned))
            seen["whole"] = not response.is_streamed
            seen["headers"] = [[name, value] for name, value in response.headers]
            if response.is_streamed:
                response.response = stamped(response.response, self.pieces)
            return response

        with self._viewed(view):
            answer = ask(self._app, job)
        times = {name: answer[name] for name in ("began_ns", "ended_ns", "complete", "raised")}
        function = getattr(original, "view_class", original)
        return {
            "name": name_of(function),
            "place": place_of(function),
            **seen,
            **times,
            **self.pieces.report(),
        }

    def probe(self, job: dict[str, Any]) -> dict[str, Any]:
        """What comes out when the view is a probe with the headers of its own response.

        With each of the ``after_request`` functions alone, and ``without`` any.
        """
        scopes = [None, *_blueprints(self._endpoint)]
        functions = [
            (scope, one) for scope in scopes for one in self._flask_app.after_request_funcs.get(scope, ())
        ]
        with _only(self._flask_app, scopes, None):
            without = self._probe_once(job)
        alone = []
        for scope, function in functions:
            with _only(self._flask_app, scopes, (scope, function)):
                found = self._probe_once(job)
            alone.append({"name": name_of(function), "place": place_of(function), "probe": found})
        response = self._flask_app.response_class
        return {
            "after_request": {
                "without": {"names": [name_of(type(self._flask_app)), name_of(response)], "probe": without},
                "functions": alone,
            }
        }

    def _probe_once(self, job: dict[str, Any]) -> dict[str, Any] | None:
        headers = without_length(self.seen["headers"])

        def under(probe: Probe) -> Any:
            return self._viewed(lambda **_: self._flask_app.response_class(probe.stream(), headers=headers))

        return sent_through(self._app, job, under)

    @contextlib.contextmanager
    def _viewed(self, view: Any) -> Iterator[None]:
        """Another view answers within the block."""
        views, original = self._flask_app.view_functions, self._flask_app.view_functions[self._endpoint]
        views[self._endpoint] = view
        try:
            yield
        finally:
            views[self._endpoint] = original


def _blueprints(endpoint: str) -> list[str]:
    """Those of the endpoint, the innermost last: "a.b.view" is of "a" and of "a.b"."""
    parts = endpoint.split(".")[:-1]
    return [".".join(parts[: length + 1]) for length in range(len(parts))]


@contextlib.contextmanager
def _only(flask_app: Any, scopes: list[Any], kept: Any) -> Iterator[None]:
    before = {scope: flask_app.after_request_funcs.get(scope) for scope in scopes}
    for scope in scopes:
        flask_app.after_request_funcs[scope] = [kept[1]] if kept is not None and kept[0] == scope else []
    try:
        yield
    finally:
        for scope, functions in before.items():
            if functions is None:
                del flask_app.after_request_funcs[scope]
            else:
                flask_app.after_request_funcs[scope] = functions
