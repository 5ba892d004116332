"""Finds the WSGI layers of an app by what they do, and puts something else under each.

A layer is whatever is called with an environ and a start_response. A seam is the place where a layer keeps
the next one: an attribute, a variable of a closure, an entry of a dict or list.
"""

from __future__ import annotations

import contextlib
import gc
import sys
from itertools import pairwise
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, NamedTuple

from .asking import ask, name_of, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import Any

#: What is called inside of these is their own business: the response that they make is a WSGI app too.
_INNERMOST = ("flask.app.Flask.wsgi_app", "django.core.handlers.wsgi.WSGIHandler")


_CALL = "__call__"


class Layer(NamedTuple):
    """One callable of the chain; ``owner`` is the object whose method it is."""

    call: Any
    owner: Any
    name: str
    place: str | None


class Seam(NamedTuple):
    """Where ``outer`` keeps ``inner``; ``put`` sets something else there, ``back`` what was there."""

    outer: Layer
    inner: Layer
    put: Callable[[Any], None]
    back: Callable[[], None]


def layers_of(app: Any, job: dict[str, Any]) -> list[Layer]:
    """The layers through which one request goes, the outermost first."""
    found: list[Layer] = []
    seen: set[tuple[int, int]] = set()

    def watch(frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or not _takes_a_request(frame):
            return
        code = frame.f_code
        first = frame.f_locals[code.co_varnames[0]]
        owner = None if _is_environ(first) else first
        key = (id(code), id(owner))
        if key in seen:  # a generator is called again for each of its pieces
            return
        seen.add(key)
        if any(layer.name in _INNERMOST for layer in found):
            return
        layer = _layer(frame, owner)
        if layer is not None:
            found.append(layer)

    sys.settrace(watch)  # not setprofile: a profiler among the layers would take it away
    try:
        ask(app, job)
    finally:
        sys.settrace(None)
    return found


def seams_of(layers: list[Layer]) -> list[Seam]:
    """The places between each layer and the next, outermost first; what cannot be found is left out."""
    return [
        seam
        for outer, inner in pairwise(layers)
        for seam in (_between_methods(outer, inner) or _in_what_is_held(outer, inner),)
        if seam is not None
    ]


@contextlib.contextmanager
def replaced(seam: Seam, other: Any) -> Iterator[None]:
    """The layer under the seam is another one within the block."""
    seam.put(other)
    try:
        yield
    finally:
        seam.back()


def _takes_a_request(frame: FrameType) -> bool:
    code = frame.f_code
    names = code.co_varnames[: code.co_argcount]
    values = [frame.f_locals.get(name) for name in names[:3]]
    return any(_is_environ(one) and callable(other) for one, other in pairwise(values))


def _is_environ(value: Any) -> bool:
    return isinstance(value, dict) and "wsgi.input" in value and "REQUEST_METHOD" in value


def _layer(frame: FrameType, owner: Any) -> Layer | None:
    code = frame.f_code
    if owner is not None:
        # the class's own: an attribute of the object may stand before it
        function = getattr(type(owner), code.co_name, None)
        if code.co_name == _CALL or function is None or getattr(function, "__code__", None) is not code:
            return Layer(owner, owner, name_of(type(owner)), place_of(type(owner)))
        method = MethodType(function, owner)
        return Layer(method, owner, f"{name_of(type(owner))}.{code.co_name}", place_of(method))
    for function in gc.get_referrers(code):
        if isinstance(function, FunctionType) and function.__code__ is code and _is_of(frame, function):
            return Layer(function, None, name_of(function), place_of(function))
    return None


def _is_of(frame: FrameType, function: FunctionType) -> bool:
    """Whether the frame is a call of this function, and not of another that was made by the same line."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    try:
        return all(frame.f_locals.get(name) is cell.cell_contents for name, cell in cells)
    except ValueError:  # an empty cell
        return False


def _between_methods(outer: Layer, inner: Layer) -> Seam | None:
    """Of one object that calls a method of its own: an attribute of the object goes before its class's."""
    owner, method = inner.owner, inner.call
    if owner is None or owner is not outer.owner or not isinstance(method, MethodType):
        return None
    name = method.__name__
    if name in getattr(owner, "__dict__", {name: None}):
        return None
    return Seam(outer, inner, lambda other: setattr(owner, name, other), lambda: delattr(owner, name))


def _in_what_is_held(outer: Layer, inner: Layer) -> Seam | None:
    for holder in _holders(outer):
        for put, value in holder:
            if (
                value is inner.call
                or value == inner.call
                or (inner.owner is not None and value is inner.owner)
            ):
                return Seam(outer, inner, put, lambda put=put, value=value: put(value))  # type: ignore[misc]
    return None


def _holders(layer: Layer) -> Iterator[Iterator[tuple[Callable[[Any], None], Any]]]:
    """What a layer may keep another one in, each as pairs of a way to set a place and what is there."""
    if layer.owner is not None:
        yield _attributes(layer.owner)
    functions = [
        layer.call,
        getattr(type(layer.owner), _CALL, None),
        getattr(layer.call, "__func__", None),
    ]
    for function in functions:
        if isinstance(function, FunctionType):
            yield _cells(function)
            yield _entries(
                {name: function.__globals__.get(name) for name in function.__code__.co_names},
                function.__globals__,
            )
    if layer.owner is not None:
        for _, value in list(_attributes(layer.owner)):
            if isinstance(value, dict):
                yield _entries(value, value)
            elif isinstance(value, list):
                yield _entries(dict(enumerate(value)), value)


def _attributes(owner: Any) -> Iterator[tuple[Callable[[Any], None], Any]]:
    slots = [name for kind in type(owner).__mro__ for name in getattr(kind, "__slots__", ())]
    for name in [*getattr(owner, "__dict__", {}), *slots]:
        if hasattr(owner, name):
            yield lambda other, name=name: setattr(owner, name, other), getattr(owner, name)  # type: ignore[misc]


def _cells(function: FunctionType) -> Iterator[tuple[Callable[[Any], None], Any]]:
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # an empty cell
            yield lambda other, cell=cell: setattr(cell, "cell_contents", other), cell.cell_contents  # type: ignore[misc]


def _entries(shown: dict[Any, Any], container: Any) -> Iterator[tuple[Callable[[Any], None], Any]]:
    for key, value in list(shown.items()):
        yield lambda other, key=key: container.__setitem__(key, other), value  # type: ignore[misc]
