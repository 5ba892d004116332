"""Looks into a Django app: which of its middlewares holds a stream back.

A Django middleware has the next one as ``get_response``, an attribute or a variable of its closure
(`django.core.handlers.base.BaseHandler.load_middleware`).
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, NamedTuple

from .asking import Pieces, ask, name_of, place_of, stamped
from .probes import Probe, sent_through, without_length

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_NEXT = "get_response"
#: Where Django makes what it puts around each middleware; it bears the name of what it is around.
_WRAPPER = ("core", "handlers", "exception.py")


class Middleware(NamedTuple):
    """One middleware; ``put`` gives it another ``get_response``, ``inner`` is the one that it has."""

    name: str
    place: str | None
    inner: Any
    put: Callable[[Any], None]


def handler_behind(app: Any, layers: list[Any]) -> Any:
    """Django's handler at the end of the layers; None where there is none."""
    wsgi = sys.modules.get("django.core.handlers.wsgi")
    if wsgi is None:
        return None
    owners = [app, *(layer.owner for layer in layers)]
    return next((owner for owner in reversed(owners) if isinstance(owner, wsgi.WSGIHandler)), None)


def middlewares_of(handler: Any) -> list[Middleware]:
    """The chain, the outermost first, up to the view."""
    found: list[Middleware] = []
    link = getattr(handler, "_middleware_chain", None)
    while link is not None:
        link, step = _next_of(link)
        if step is not None:
            found.append(step)
    return found


class DjangoView:
    """The view that answers, behind the chain; made, it has been asked once."""

    def __init__(self, app: Any, handler: Any, job: dict[str, Any]) -> None:
        self._app = app
        self._chain = middlewares_of(handler)
        self.seen = self._look(job)
        """What the view returns, before any middleware has it."""

    def _look(self, job: dict[str, Any]) -> dict[str, Any]:
        last = self._chain[-1]
        pieces = Pieces()
        seen: dict[str, Any] = {"name": last.name, "place": None, "whole": False, "headers": []}

        def answering(request: Any) -> Any:
            response = last.inner(request)
            match = getattr(request, "resolver_match", None)
            if match is not None:
                seen["name"], seen["place"] = name_of(match.func), place_of(match.func)
            seen["returned"] = name_of(type(response))
            seen["whole"] = not response.streaming
            seen["headers"] = [[name, value] for name, value in response.items()]
            if response.streaming and not getattr(response, "is_async", False):
                response.streaming_content = stamped(response.streaming_content, pieces)
            return response

        with _replaced(last, answering):
            answer = ask(self._app, job)
        times = {name: answer[name] for name in ("began_ns", "ended_ns", "complete", "raised")}
        return {**seen, **times, **pieces.report()}

    def probe(self, job: dict[str, Any]) -> dict[str, Any]:
        """What becomes of a probe under each middleware, the outermost first."""
        return {"middlewares": [self._probe_under(middleware, job) for middleware in self._chain]}

    def _probe_under(self, middleware: Middleware, job: dict[str, Any]) -> dict[str, Any]:
        from django.http import StreamingHttpResponse  # noqa: PLC0415  - there: its handler is

        headers = dict(without_length(self.seen["headers"]))

        def under(probe: Probe) -> Any:
            return _replaced(middleware, lambda _: StreamingHttpResponse(probe.stream(), headers=headers))

        found = sent_through(self._app, job, under)
        return {"outer": middleware.name, "place": middleware.place, "probe": found}


@contextlib.contextmanager
def _replaced(middleware: Middleware, other: Any) -> Iterator[None]:
    middleware.put(other)
    try:
        yield
    finally:
        middleware.put(middleware.inner)


def _next_of(link: Any) -> tuple[Any, Middleware | None]:
    """What a link of the chain calls, and the link itself where it is no wrapper of Django's own."""
    if isinstance(link, FunctionType):
        names = link.__code__.co_freevars
        if _NEXT not in names or link.__closure__ is None:
            return None, None
        cell = link.__closure__[names.index(_NEXT)]
        inner = cell.cell_contents
        if Path(link.__code__.co_filename).parts[-3:] == _WRAPPER:
            return inner, None
        return inner, Middleware(
            name_of(link), place_of(link), inner, lambda other: setattr(cell, "cell_contents", other)
        )
    inner = getattr(link, _NEXT, None)
    if inner is None:
        return None, None
    kind = type(link)
    return inner, Middleware(name_of(kind), place_of(kind), inner, lambda other: setattr(link, _NEXT, other))
