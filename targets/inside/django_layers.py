"""Looks into a Django app: which of its middlewares holds a stream back.

Django puts a function of its own around each middleware and around the view, and gives it to the middleware
outside of it, which keeps it wherever it likes (`django.core.handlers.base.BaseHandler.load_middleware`).
"""

from __future__ import annotations

import contextlib
import gc
import sys
from pathlib import Path
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, NamedTuple

from .asking import Pieces, ask, name_of, place_of, stamped
from .probes import Probe, sent_through, without_length
from .seams import held_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

#: Where Django makes what it puts around each middleware; it bears the name of what it is around.
_WRAPPER = ("core", "handlers", "exception.py")
_NEXT = "get_response"


class Link(NamedTuple):
    """One middleware; ``put`` gives it something else to call, ``inner`` is what it has."""

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


def links_of(handler: Any) -> list[Link]:
    """The chain, the outermost first, as far as it can be followed, and last what is around the view.

    Of a middleware that keeps the next one in a way that is not known here, the chain goes on with the view:
    what holds is then one of those between.
    """
    found: list[Link] = []
    wrapper = getattr(handler, "_middleware_chain", None)
    view = _around_view(wrapper, handler)
    while isinstance(wrapper, FunctionType) and view is not None and wrapper is not view:
        middleware = _cell(wrapper).cell_contents
        next_one = next(((put, value) for put, value in held_by(middleware) if _is_wrapper(value)), None)
        if next_one is None:
            break
        found.append(Link(_name(middleware), _place(middleware), next_one[1], next_one[0]))
        wrapper = next_one[1]
    if view is not None and isinstance(wrapper, FunctionType) and (not found or wrapper is not view):
        unknown = [] if wrapper is view else [_name(_cell(wrapper).cell_contents), "what it calls"]
        cell = _cell(view)
        found.append(
            Link(
                " and ".join(unknown) or "Django's handler",
                None,
                cell.cell_contents,
                lambda other: setattr(cell, "cell_contents", other),
            )
        )
    return found


class DjangoView:
    """The view that answers, behind the chain; made, it has been asked once."""

    def __init__(self, app: Any, handler: Any, job: dict[str, Any]) -> None:
        self._app = app
        self._chain = links_of(handler)
        self.pieces = Pieces()
        self.seen = self._look(job)
        """What the view returns, before any middleware has it; without a name where it is not asked."""

    def _look(self, job: dict[str, Any]) -> dict[str, Any]:
        last = self._chain[-1]
        seen: dict[str, Any] = {"name": "", "place": None, "whole": False, "headers": []}

        def answering(request: Any) -> Any:
            response = last.inner(request)
            match = getattr(request, "resolver_match", None)
            function = getattr(match, "func", None)
            if function is not None:
                function = getattr(function, "view_class", function)
                seen["name"], seen["place"] = name_of(function), place_of(function)
            seen["returned"] = name_of(type(response))
            seen["whole"] = not response.streaming
            seen["asynchronous"] = bool(getattr(response, "is_async", False))
            seen["headers"] = [[name, value] for name, value in response.items()]
            if response.streaming and not seen["asynchronous"]:
                response.streaming_content = stamped(response.streaming_content, self.pieces)
            return response

        with _replaced(last, answering):
            answer = ask(self._app, job)
        times = {name: answer[name] for name in ("began_ns", "ended_ns", "complete", "raised")}
        return {**seen, **times, **self.pieces.report()}

    def probe(self, job: dict[str, Any]) -> dict[str, Any]:
        """What becomes of a probe under each middleware, the outermost first."""
        return {"middlewares": [self._probe_under(link, job) for link in self._chain]}

    def _probe_under(self, link: Link, job: dict[str, Any]) -> dict[str, Any]:
        from django.http import StreamingHttpResponse  # noqa: PLC0415  - there: its handler is

        headers = dict(without_length(self.seen["headers"]))

        def under(probe: Probe) -> Any:
            return _replaced(link, lambda _: StreamingHttpResponse(probe.stream(), headers=headers))

        found = sent_through(self._app, job, under)
        return {"outer": link.name, "place": link.place, "own": False, "probe": found}


def _is_wrapper(value: Any) -> bool:
    return isinstance(value, FunctionType) and Path(value.__code__.co_filename).parts[-3:] == _WRAPPER


def _cell(wrapper: FunctionType) -> Any:
    """Where a function of Django's keeps what it is around."""
    return (wrapper.__closure__ or ())[wrapper.__code__.co_freevars.index(_NEXT)]


def _around_view(wrapper: Any, handler: Any) -> FunctionType | None:
    """Django's function around the view: it has a method of the handler."""
    if not _is_wrapper(wrapper):
        return None
    for other in gc.get_referrers(wrapper.__code__):
        if _is_wrapper(other):
            inner = _cell(other).cell_contents
            if isinstance(inner, MethodType) and inner.__self__ is handler:
                return other  # type: ignore[no-any-return]
    return None


def _name(middleware: Any) -> str:
    return name_of(middleware if isinstance(middleware, FunctionType) else type(middleware))


def _place(middleware: Any) -> str | None:
    return place_of(middleware if isinstance(middleware, FunctionType) else type(middleware))


@contextlib.contextmanager
def _replaced(link: Link, other: Any) -> Iterator[None]:
    link.put(other)
    try:
        yield
    finally:
        link.put(link.inner)
